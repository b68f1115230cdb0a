#include "signals.h"

#include <string.h>

#include "wake.h"

/* The handlers' own: a handler has no other way to reach them. */
static struct wake signal_wake = {-1, -1};
static volatile sig_atomic_t signal_number, signal_count;

static void on_signal(int number)
{
    signal_number = number;
    signal_count = signal_count + 1;
    wake_call(&signal_wake);
}

enum status signals_catch(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    enum status st = wake_init(&signal_wake);
    if (st != ST_OK) {
        return st;
    }
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    sigemptyset(&action.sa_mask);
    action.sa_handler = on_signal;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        struct sigaction before;
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
            (void)sigaction(numbers[i], &action, NULL);
        }
    }
    return ST_OK;
}

int signals_fd(void)
{
    return signal_wake.rd;
}

void signals_drain(void)
{
    wake_drain(&signal_wake);
}

const volatile sig_atomic_t *signals_count(void)
{
    return &signal_count;
}

void signals_die_by(int number)
{
    sigset_t set;
    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
}

void signals_die(void)
{
    if (signal_count > 0) {
        signals_die_by(signal_number);
    }
}
