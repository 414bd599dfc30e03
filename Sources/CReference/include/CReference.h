// The same table work in plain C, for the benchmark to measure the core against: top-up of a cache of 40 pages, then one
// leaf, tables made as they are needed and zeroed. Written for this benchmark; no rule of the simulation lives here.
#ifndef CREFERENCE_H
#define CREFERENCE_H

#include <stddef.h>
#include <stdint.h>

struct creference;

/// Empty tables in a fresh arena of `pages` pages; NULL without memory.
struct creference *creference_create(size_t pages);
void creference_destroy(struct creference *tables);

/// Gives every page back and empties the level-1 table. The arena's memory stays, as a kernel's does.
void creference_reset(struct creference *tables);

/// One fault's table work: 0, or -12 where the arena is used up.
int creference_map(struct creference *tables, uint64_t ipa, uint64_t pfn, int writable);

/// The same for `count` pages, with consecutive page frames from `pfn` on.
int creference_map_all(struct creference *tables, const uint64_t *ipas, size_t count, uint64_t pfn, int writable);

/// The leaf for `ipa`; 0 where there is none.
uint64_t creference_leaf(const struct creference *tables, uint64_t ipa);

/// TLB flushes and pages handed out so far.
size_t creference_flushes(const struct creference *tables);
size_t creference_pages(const struct creference *tables);

/// From here on the C library's allocator keeps what is given back to it.
void keep_freed_memory(void);

/// Bytes that the C library's allocator has handed out and not got back.
size_t memory_in_use(void);

#endif
