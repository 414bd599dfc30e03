#define _GNU_SOURCE // wcwidth
#include <stdint.h>
#include <wchar.h>

int cn_width(uint32_t scalar);
int cn_width(uint32_t scalar) { return wcwidth((wchar_t)scalar); }
