#include "CCompression.h"
#include <zlib.h>
#include <zstd.h>

long kvmtui_inflate(const void *from, size_t from_size, void *to, size_t to_size)
{
    uLongf done = to_size;
    return uncompress(to, &done, from, from_size) == Z_OK ? (long)done : -1;
}

long kvmtui_zstd(const void *from, size_t from_size, void *to, size_t to_size)
{
    size_t done = ZSTD_decompress(to, to_size, from, from_size);
    return ZSTD_isError(done) ? -1 : (long)done;
}
