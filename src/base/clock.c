#include "clock.h"

#include <limits.h>
#include <stdio.h>

static int64_t clock_us(clockid_t id)
{
    struct timespec ts;
    if (clock_gettime(id, &ts) != 0) {
        return 0;
    }
    return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

int64_t clock_monotonic_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

int64_t clock_wall_us(void)
{
    return clock_us(CLOCK_REALTIME);
}

int64_t deadline_in_ms(int64_t now_us, int64_t ms)
{
    if (ms <= 0) {
        return now_us;
    }
    if (now_us > 0 && ms > (INT64_MAX - now_us) / US_PER_MS) {
        return NO_DEADLINE;
    }
    if (ms > INT64_MAX / US_PER_MS) {
        return NO_DEADLINE;
    }
    return now_us + ms * US_PER_MS;
}

int64_t deadline_earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int deadline_poll_ms(int64_t deadline, int64_t now_us)
{
    if (deadline == NO_DEADLINE) {
        return -1;
    }
    if (deadline <= now_us) {
        return 0;
    }
    /* Unsigned: the difference of two int64_t may not fit into one. */
    uint64_t left = (uint64_t)deadline - (uint64_t)now_us;
    uint64_t ms = left / (uint64_t)US_PER_MS + (left % (uint64_t)US_PER_MS != 0 ? 1 : 0);
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

static bool wall_to_tm(int64_t wall_us, struct tm *tm)
{
    int64_t s = wall_us / US_PER_S;
    if (wall_us % US_PER_S < 0) {
        s--;
    }
    time_t t = (time_t)s;
    return gmtime_r(&t, tm) != NULL;
}

void clock_iso8601(int64_t wall_us, char *out, size_t size)
{
    struct tm tm;
    if (!wall_to_tm(wall_us, &tm)) {
        snprintf(out, size, "-");
        return;
    }
    snprintf(out, size, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void clock_rfc5322(int64_t wall_us, char *out, size_t size)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm tm;
    if (!wall_to_tm(wall_us, &tm)) {
        snprintf(out, size, "-");
        return;
    }
    snprintf(out, size, "%s, %02d %s %04d %02d:%02d:%02d +0000", days[tm.tm_wday], tm.tm_mday,
             months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}
