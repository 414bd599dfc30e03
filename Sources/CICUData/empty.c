// CICUData/: Foundation's ICU without its 34 MB of data, in a package; otherwise nothing. Nothing here asks for locales, calendars or
// collation: our own sources are read by Swift's library, and Yams asks Foundation for them only where it resolves YAML's dates, which
// `Resolver.basic` does not.

#include "CICUData.h"

#ifdef KVMTUI_ICU_DATA

/// The table of contents that ICU looks its data up in (its unicode/udata.h has the header, its ucmndata.h the table), with nothing in it. It
/// is linked before ICU's library and so instead of its own, as ICU means it to be for those who bring their data along.
const struct {
    uint16_t headerSize;
    uint8_t magic[2];
    uint16_t infoSize, reserved;
    uint8_t isBigEndian, charsetFamily, sizeOfUnit, reserved2, format[4], formatVersion[4], dataVersion[4], padding[8];
    uint32_t count, reserved3;
} KVMTUI_ICU_DATA __attribute__((aligned(16))) = {
    .headerSize = 32,
    .magic = {0xda, 0x27},
    .infoSize = 20,
    .isBigEndian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__,
    .sizeOfUnit = 2,
    .format = {'T', 'o', 'C', 'P'},
    .formatVersion = {1},
};

#endif
