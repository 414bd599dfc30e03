// What Swift cannot reach in <curses.h> by itself: macros with arguments, macros that compute, and
// globals that Swift's concurrency checking refuses. Nothing here decides anything; that is for Swift.
// TerminalGuard.h is the exception: signal handlers have to be C.

#ifndef CNCURSES_H
#define CNCURSES_H

// No _GNU_SOURCE here: with it fd_set has other field names than in Swift's own Glibc module, and the two cannot be imported together.
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <unistd.h>
#include <wchar.h>
#include "TerminalGuard.h"

/// The columns that the C library gives a character, -1 for one that is not shown.
int cn_width(uint32_t scalar);

// <term.h> names capabilities with macros as common as these.
#undef lines
#undef columns
#undef buttons
#undef tab

/// What is on record of the terminal of that name: its colours (-1: none), and whether it takes text for the clipboard (OSC 52, the
/// extended capability Ms). False where the name is not known, or the terminal cannot place the cursor. Writes nothing.
static inline bool cn_describe(const char *term, int *colours, bool *copies) {
    int error = 0;
    if (setupterm(term, STDOUT_FILENO, &error) != OK) return false;
    const char *cup = tigetstr("cup"), *copy = tigetstr("Ms");
    *colours = tigetnum("colors");
    *copies = copy != NULL && copy != (const char *)-1;
    bool can = cup != NULL && cup != (const char *)-1;
    del_curterm(cur_term);
    return can;
}

/// Whether the terminal of that name is described, and can place the cursor. Writes nothing.
static inline bool cn_can_draw(const char *term) {
    int colours;
    bool copies;
    return cn_describe(term, &colours, &copies);
}

/// The character encoding of the locale that the environment names.
static inline const char *cn_encoding(void) { return nl_langinfo(CODESET); }

/// Opens the terminal, of that size, on standard input and output.
bool cn_open(const char *term, int columns, int lines);

/// Between these, what curses writes is kept, and then sent at once. By itself it writes anew at each move of the cursor: some
/// fifty times a frame, each of which wakes whoever draws the terminal.
void cn_begin_frame(void);
void cn_end_frame(void);

static inline WINDOW *cn_screen(void) { return stdscr; }
static inline int cn_lines(void) { return getmaxy(stdscr); }
static inline int cn_columns(void) { return getmaxx(stdscr); }
static inline int cn_colours(void) { return has_colors() ? COLORS : 0; }
static inline bool cn_locale_is_utf8(void) { return strcmp(cn_encoding(), "UTF-8") == 0; }

/// Everything is sent again with the next update, whatever curses believes to be on the terminal.
static inline void cn_forget(void) { clearok(curscr, TRUE); }

static inline attr_t cn_bold(void) { return A_BOLD; }
static inline attr_t cn_dim(void) { return A_DIM; }
static inline attr_t cn_underline(void) { return A_UNDERLINE; }
static inline attr_t cn_reverse(void) { return A_REVERSE; }
static inline attr_t cn_italic(void) { return A_ITALIC; }

static inline int cn_key_function(int number) { return KEY_F(number); }

/// Left button and wheel, told at once: no waiting for a double click.
static inline void cn_mouse_on(void) {
    mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
    mouseinterval(0);
}
static inline bool cn_is_click(mmask_t state) { return (state & BUTTON1_PRESSED) != 0; }
static inline bool cn_is_wheel_up(mmask_t state) { return (state & BUTTON4_PRESSED) != 0; }
static inline bool cn_is_wheel_down(mmask_t state) { return (state & BUTTON5_PRESSED) != 0; }

/// One character with its mark (0 for none), as curses keeps it.
static inline void cn_cell(cchar_t *cell, uint32_t scalar, uint32_t mark, attr_t attributes, short pair) {
    const wchar_t text[3] = {(wchar_t)scalar, (wchar_t)mark, 0};
    setcchar(cell, text, attributes, pair, NULL);
}

/// The terminal's size as the system has it; false if it does not know.
static inline bool cn_window_size(int *columns, int *lines) {
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return false;
    *columns = size.ws_col;
    *lines = size.ws_row;
    return true;
}

/// The capability `name` as it is sent, without padding; returns its length, 0 if the terminal lacks it.
size_t cn_capability(const char *name, char *buffer, size_t size);

#endif
