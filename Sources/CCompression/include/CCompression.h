// Compressed pages of memory dumps: one call for each form, the same result for all. zlib and zstd are the system's libraries.
#pragma once
#include <stddef.h>

/// Each fills `to` with what `from` holds compressed. Returns how many bytes that are; -1 where `from` is damaged or `to` too small.
long kvmtui_inflate(const void *from, size_t from_size, void *to, size_t to_size);
long kvmtui_zstd(const void *from, size_t from_size, void *to, size_t to_size);
