#define _GNU_SOURCE
#include "CNcurses.h"
#include "write_all.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

// Curses writes to a descriptor of its own, which leads to the terminal, and within a frame into memory.
static int output = -1;
static int memory = -1;

bool cn_open(const char *term) {
    output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    FILE *stream = output < 0 ? NULL : fdopen(output, "w");
    if (stream == NULL) return false;
    memory = memfd_create("frame", MFD_CLOEXEC);
    return newterm(term, stream, stdin) != NULL;
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
