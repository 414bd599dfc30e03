#ifndef CPREFETCH_H
#define CPREFETCH_H

/* Asks the processor for the cache line at an address, which need not be valid. Swift has no word for it. */
static inline void prefetch_line(const void *address) { __builtin_prefetch(address); }

#endif
