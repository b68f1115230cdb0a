/*
 * spoken: a run in plain lines, each of which can be read alone: what a screen reader, a log file
 * or a pipe gets instead of the screen.
 *
 * Threads: the face's. Ownership: nothing is kept.
 */
#ifndef SMTPSCOPE_SPOKEN_H
#define SMTPSCOPE_SPOKEN_H

#include "guide.h"
#include "out.h"
#include "record.h"

struct spoken {
    struct out *out;
    bool quiet;   /* problems and the summary only */
    bool verbose; /* findings that say that all is well, too */
};

/* As the events come; call it before record_apply takes parts out of the event. */
void spoken_event(const struct spoken *s, const struct event *e);
/* After the run: findings with advice, the worst first. */
void spoken_findings(const struct spoken *s, const struct record *r, const struct guide *guide);
void spoken_summary(const struct spoken *s, const struct record *r);

#endif
