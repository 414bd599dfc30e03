#ifndef KVMTUI_MEMORY_H
#define KVMTUI_MEMORY_H

#include <stddef.h>

/* Asks the processor for the cache line at an address, which need not be valid. Swift has no word for it. */
static inline void prefetch_line(const void *address) { __builtin_prefetch(address); }

/* Asks the kernel to map the whole pages of that memory as huge ones where it can. Nothing but time depends on it. */
void advise_huge_pages(void *start, size_t bytes);

#endif
