#include "memory.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

void advise_huge_pages(void *start, size_t bytes) {
#ifdef MADV_HUGEPAGE
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = ((uintptr_t)start + page - 1) & -page, to = ((uintptr_t)start + bytes) & -page;
    if (from < to) (void)madvise((void *)from, to - from, MADV_HUGEPAGE);
#else
    (void)start, (void)bytes;
#endif
}
