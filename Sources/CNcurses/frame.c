#define _GNU_SOURCE
#include "CNcurses.h"
#include "write_all.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

// Curses writes to a descriptor of its own, which leads to the terminal, and within a frame into memory.
static int output = -1;
static int memory = -1;

/// Sets a variable, and returns what it was, to be freed; NULL where it was not set.
static char *exchange(const char *name, const char *value) {
    const char *before = getenv(name);
    char *kept = before == NULL ? NULL : strdup(before);
    if (value == NULL) unsetenv(name);
    else setenv(name, value, 1);
    return kept;
}

bool cn_open(const char *term, int columns, int lines) {
    output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    FILE *stream = output < 0 ? NULL : fdopen(output, "w");
    if (stream == NULL) return false;
    memory = memfd_create("frame", MFD_CLOEXEC);
    // Left to itself curses believes exported sizes rather than the system, and counts in 16 bits: so it is told.
    char width[16], height[16];
    snprintf(width, sizeof width, "%d", columns);
    snprintf(height, sizeof height, "%d", lines);
    char *old_width = exchange("COLUMNS", width), *old_height = exchange("LINES", height);
    use_env(TRUE);
    use_tioctl(FALSE);
    bool opened = newterm(term, stream, stdin) != NULL;
    free(exchange("COLUMNS", old_width));
    free(exchange("LINES", old_height));
    free(old_width);
    free(old_height);
    return opened;
}

void cn_begin_frame(void) {
    if (memory < 0) return;
    lseek(memory, 0, SEEK_SET);
    dup3(memory, output, O_CLOEXEC);
}

void cn_end_frame(void) {
    if (memory < 0) return;
    dup3(STDOUT_FILENO, output, O_CLOEXEC);
    off_t count = lseek(memory, 0, SEEK_CUR);
    char part[16384];
    for (off_t at = 0; at < count;) {
        size_t wanted = count - at < (off_t)sizeof part ? (size_t)(count - at) : sizeof part;
        ssize_t got = pread(memory, part, wanted, at);
        if (got <= 0) return;
        write_all(STDOUT_FILENO, part, (size_t)got);
        at += got;
    }
}
