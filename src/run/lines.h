/*
 * lines: the transcript as millions of short lines in little memory.
 *
 * Text lies in blocks, an index entry a line beside it. Numbers are absolute, begin with 1 and are
 * never used twice. Over LINES_MAX_BYTES the middle goes: the first blocks stay, the oldest of the
 * rest drop, and lines_dropped says how many.
 *
 * Threads: one owner. Ownership: the store owns the bytes; pointers it hands out are good until the
 * next add.
 */
#ifndef SMTPSCOPE_LINES_H
#define SMTPSCOPE_LINES_H

#include "check.h"

#define LINES_MAX_BYTES ((size_t)72 << 20)
#define LINE_SHOWN_MAX 4096      /* a longer line is shown cut */
#define LINE_KEPT_MAX (1u << 20) /* and saved whole up to this */

struct line {
    uint32_t number;
    int64_t t_us; /* since the run began */
    uint16_t path;
    uint8_t check; /* enum check_id */
    uint8_t dir;   /* enum smtp_dir */
    uint8_t flags; /* LINE_* */
    bool tls;
    const char *text; /* raw, redacted */
    size_t len;
};

struct lines; /* opaque, heap */

enum status lines_new(struct lines **out) MUST_CHECK;
void lines_free(struct lines *l);
/* The number is the caller's and must be larger than all before. */
enum status lines_add(struct lines *l, const struct line *line) MUST_CHECK;
void lines_mark(struct lines *l, uint32_t number, uint8_t flags);
/* False when the line does not exist or was dropped. */
bool lines_get(const struct lines *l, uint32_t number, struct line *out);
uint32_t lines_first(const struct lines *l); /* 0 when empty */
uint32_t lines_last(const struct lines *l);
/* The first number after this one; 0 when there is none. Numbers may have gaps. */
uint32_t lines_next(const struct lines *l, uint32_t number);
uint64_t lines_dropped(const struct lines *l); /* how many are missing in the middle */
/* First number after the gap, when there is one; else 0. */
uint32_t lines_gap_end(const struct lines *l, uint32_t *gap_start);
/* Next line at or after `from` (with back: at or before it) whose raw text holds needle, ASCII case
   ignored; 0 when none. */
uint32_t lines_search(const struct lines *l, uint32_t from, bool back, const char *needle);
size_t lines_memory(const struct lines *l);

#endif
