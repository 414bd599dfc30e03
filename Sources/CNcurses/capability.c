#include "CNcurses.h"
#include <string.h>

// tputs hands over one byte at a time and no context, so the place to put it has to be global.
static char *place;
static size_t room;

static int collect(int byte) {
    if (room > 0) {
        *place++ = (char)byte;
        room--;
    }
    return byte;
}

size_t cn_capability(const char *name, char *buffer, size_t size) {
    const char *text = tigetstr(name);
    if (text == NULL || text == (const char *)-1) return 0;
    place = buffer;
    room = size;
    tputs(text, 1, collect);
    return size - room;
}
