// Gives the terminal back whatever ends or stops the process, and keeps signals from getting lost
// between two looks at them. One guard a process; armed while a program is on the screen.

#ifndef TERMINAL_GUARD_H
#define TERMINAL_GUARD_H

#include <stddef.h>

/// Signals seen since the last guard_take.
enum {
    GUARD_INTERRUPT = 1, ///< SIGINT from another process; from the keyboard ^C comes as a key
    GUARD_STOP = 2,      ///< SIGTSTP from another process; from the keyboard ^Z comes as a key
    GUARD_CONTINUED = 4, ///< SIGCONT: somebody may have changed the terminal while we stood
    GUARD_RESIZED = 8,   ///< SIGWINCH: the window may have another size
};

/// What guard_wait saw first.
enum {
    GUARD_INPUT = 1,  ///< something to read
    GUARD_TIMEOUT,    ///< the time has passed
    GUARD_SIGNAL,     ///< a signal; a changed window size is one
    GUARD_HANGUP,     ///< the terminal is gone
};

/// To be called before curses opens the terminal: remembers its modes.
/// Returns -1 if standard input is no terminal.
int guard_remember(void);

/// From now on a deadly signal writes `restore` to the terminal, puts its modes back and strikes again
/// with its default action, so that the exit status tells the truth. Standard error, if it is the
/// terminal, is kept aside until then: a message of the Swift runtime is not to be lost on the screen
/// that is about to vanish.
void guard_arm(const char *restore, size_t length);

/// Back to what was before guard_arm; shows what was kept of standard error.
void guard_disarm(void);

/// Stops the process group as ^Z does; the terminal must have been given back. Returns when continued.
void guard_suspend(void);

/// Waits for input up to `nanoseconds` (below 0: for ever). Signals are only let in here, so none is
/// overlooked between guard_take and the waiting.
int guard_wait(long long nanoseconds);

/// The signals since the last call, as a sum of GUARD_ bits.
int guard_take(void);

#endif
