#ifndef WRITE_ALL_H
#define WRITE_ALL_H

#include <errno.h>
#include <unistd.h>

/// Safe in a signal handler. Gives up where nothing can be written any more.
static inline void write_all(int fd, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(fd, bytes, count);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;
        bytes += written;
        count -= (size_t)written;
    }
}

#endif
