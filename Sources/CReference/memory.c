#include "CReference.h"

#include <malloc.h>

size_t memory_in_use(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

void keep_freed_memory(void) {
    mallopt(M_TRIM_THRESHOLD, 0x7fffffff);
    mallopt(M_MMAP_MAX, 0);
}
