#define _GNU_SOURCE
#include "TerminalGuard.h"
#include "write_all.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

// Everything a handler touches is prepared beforehand; handlers only call async-signal-safe functions.

static struct termios modes;
static char restore_text[512];
static size_t restore_length;
static volatile sig_atomic_t armed;
static volatile sig_atomic_t seen;
static int real_stderr = -1;
static int kept_stderr = -1;

static const int noted[] = {SIGINT, SIGTSTP, SIGCONT, SIGWINCH};
// Closed except while guard_wait waits.
static const int gated[] = {SIGINT, SIGTSTP, SIGCONT, SIGWINCH};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
// By signal.
static struct sigaction deadly_before[NSIG];
static struct sigaction noted_before[COUNT(noted)];
static sigset_t mask_before;
static sigset_t mask_open;

// A stack overflow must not keep the handler from running.
static char handler_stack[64 * 1024];
static stack_t stack_before;

/// Every signal that ends a process if nothing is done about it, the real-time ones too; SIGINT is noted instead.
static bool is_deadly(int number) {
    switch (number) {
    case SIGKILL: case SIGSTOP: case SIGINT:                              // cannot be caught; noted
    case SIGTSTP: case SIGTTIN: case SIGTTOU: case SIGCONT:               // stop it, or let it go on
    case SIGCHLD: case SIGURG: case SIGWINCH: return false;               // are ignored
    // Between these the C library keeps some for itself.
    default: return number < 32 || (number >= SIGRTMIN && number <= SIGRTMAX);
    }
}

static void release_stderr(void) {
    if (kept_stderr < 0) return;
    dup2(real_stderr, STDERR_FILENO);
    char part[512];
    ssize_t count;
    lseek(kept_stderr, 0, SEEK_SET);
    while ((count = read(kept_stderr, part, sizeof part)) > 0) write_all(STDERR_FILENO, part, (size_t)count);
    close(kept_stderr);
    close(real_stderr);
    kept_stderr = real_stderr = -1;
}

static void keep_stderr(void) {
    if (!isatty(STDERR_FILENO)) return;
    kept_stderr = memfd_create("stderr", MFD_CLOEXEC);
    if (kept_stderr < 0) return;
    real_stderr = dup(STDERR_FILENO);
    dup2(kept_stderr, STDERR_FILENO);
}

static const char *own_fault(int number) {
    switch (number) {
    case SIGILL: return "SIGILL";
    case SIGTRAP: return "SIGTRAP";
    case SIGSEGV: return "SIGSEGV";
    case SIGABRT: return "SIGABRT";
    case SIGFPE: return "SIGFPE";
    case SIGBUS: return "SIGBUS";
    default: return NULL;
    }
}

static void on_deadly(int number) {
    if (armed) {
        armed = 0;
        // A background process that touches the terminal's modes is stopped, unless it blocks this.
        sigset_t output;
        sigemptyset(&output);
        sigaddset(&output, SIGTTOU);
        pthread_sigmask(SIG_BLOCK, &output, NULL);
        write_all(STDOUT_FILENO, restore_text, restore_length);
        tcsetattr(STDIN_FILENO, TCSANOW, &modes);
        release_stderr();
        const char *name = own_fault(number);
        if (name != NULL) {
            static const char before[] = "kvmtui: crashed (";
            static const char after[] = "), which is a mistake in kvmtui itself; the terminal is as it was found\n";
            write_all(STDERR_FILENO, before, sizeof before - 1);
            write_all(STDERR_FILENO, name, strlen(name));
            write_all(STDERR_FILENO, after, sizeof after - 1);
        }
    }
    // The handler was installed for one time only and does not block its own signal.
    raise(number);
}

static void on_noted(int number) {
    seen |= number == SIGINT     ? GUARD_INTERRUPT
            : number == SIGTSTP  ? GUARD_STOP
            : number == SIGWINCH ? GUARD_RESIZED
                                 : GUARD_CONTINUED;
}

int guard_remember(void) { return tcgetattr(STDIN_FILENO, &modes); }

static void install_noted(void) {
    struct sigaction action = {.sa_handler = on_noted};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < COUNT(noted); i++) sigaction(noted[i], &action, NULL);
}

void guard_arm(const char *restore, size_t length) {
    restore_length = length < sizeof restore_text ? length : 0;
    memcpy(restore_text, restore, restore_length);
    seen = 0;

    stack_t stack = {.ss_sp = handler_stack, .ss_size = sizeof handler_stack};
    sigaltstack(&stack, &stack_before);

    struct sigaction action = {.sa_handler = on_deadly, .sa_flags = SA_RESETHAND | SA_NODEFER | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    for (int number = 1; number < NSIG; number++) {
        if (!is_deadly(number)) continue;
        sigaction(number, NULL, &deadly_before[number]);
        // What the parent had us ignore stays ignored (nohup).
        if (deadly_before[number].sa_handler != SIG_IGN) sigaction(number, &action, NULL);
    }
    for (size_t i = 0; i < COUNT(noted); i++) sigaction(noted[i], NULL, &noted_before[i]);
    install_noted();

    sigset_t gate;
    sigemptyset(&gate);
    for (size_t i = 0; i < COUNT(gated); i++) sigaddset(&gate, gated[i]);
    pthread_sigmask(SIG_BLOCK, &gate, &mask_before);
    mask_open = mask_before;
    for (size_t i = 0; i < COUNT(gated); i++) sigdelset(&mask_open, gated[i]);

    keep_stderr();
    armed = 1;
}

void guard_disarm(void) {
    armed = 0;
    for (int number = 1; number < NSIG; number++) {
        if (is_deadly(number)) sigaction(number, &deadly_before[number], NULL);
    }
    // Curses opened the terminal before the guard was armed, so these are its handlers, harmless after endwin.
    for (size_t i = 0; i < COUNT(noted); i++) sigaction(noted[i], &noted_before[i], NULL);
    pthread_sigmask(SIG_SETMASK, &mask_before, NULL);
    sigaltstack(&stack_before, NULL);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &modes);
    release_stderr();
}

void guard_suspend(void) {
    armed = 0;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &modes);
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigemptyset(&standard.sa_mask);
    sigaction(SIGTSTP, &standard, NULL);
    // The stop falls due when the gate opens, and we are back when it has been closed again.
    kill(0, SIGTSTP);
    sigset_t gate;
    pthread_sigmask(SIG_SETMASK, &mask_open, &gate);
    pthread_sigmask(SIG_SETMASK, &gate, NULL);
    install_noted();
    seen = 0;
    armed = 1;
}

int guard_wait(long long nanoseconds) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    struct timespec time = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    int count = ppoll(&input, 1, nanoseconds < 0 ? NULL : &time, &mask_open);
    if (count < 0) return errno == EINTR ? GUARD_SIGNAL : GUARD_HANGUP;
    if (count == 0) return GUARD_TIMEOUT;
    return (input.revents & POLLIN) != 0 && (input.revents & POLLHUP) == 0 ? GUARD_INPUT : GUARD_HANGUP;
}

int guard_take(void) {
    // The signals that change it are let in by guard_wait only.
    int signals = seen;
    seen = 0;
    return signals;
}
