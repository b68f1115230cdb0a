/*
 * report_writer: what the reports for people share: an output that remembers its first failure, wrapping, and
 * the words of the header. Private to this room.
 *
 * Threads: pure. Ownership: the caller's buffer.
 */
#ifndef SMTPSCOPE_REPORT_WRITER_H
#define SMTPSCOPE_REPORT_WRITER_H

#include "report.h"

#define REPORT_COLUMNS 78
#define REPORT_EVIDENCE_QUOTED 6   /* lines repeated beside a finding */
#define REPORT_EVIDENCE_LENGTH 512 /* bytes of each */

struct writer {
    struct buf *out;
    unsigned flags; /* ESCAPE_ASCII or 0 */
    enum status st; /* after the first failure nothing more is written */
};

/* ASCII of ours, as it is. */
void write_raw(struct writer *w, const char *text);
void write_rawf(struct writer *w, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Anything else: escaped. Text of the guide was escaped before and goes through unchanged. */
void write_text(struct writer *w, const char *text);
void write_spaces(struct writer *w, size_t count);
/* The label, filled up to `indent` columns, then the text wrapped at REPORT_COLUMNS, and a line end. */
void write_wrapped(struct writer *w, const char *label, size_t indent, const char *text);
/* The same in lines of so many columns. */
void write_wrapped_at(struct writer *w, size_t columns, const char *label, size_t indent,
                      const char *text);
/* For Markdown: escaped, and characters that Markdown would act on get a backslash. */
void write_markdown(struct writer *w, const char *text);

/* A fence for Markdown that is longer than any run of backquotes in what it holds. */
struct report_fence {
    size_t run, longest;
};
void report_fence_look(struct report_fence *f, const char *p, size_t len);
void report_write_fence(struct writer *w, const struct report_fence *f, const char *language);

/* A view on the run that both reports for people walk through. */
struct report_header_row {
    const char *label; /* translated */
    char text[1024];   /* escaped */
};
#define REPORT_HEADER_ROWS 12

/* Fills the rows that apply, returns how many. */
size_t report_header(const struct record *r, const struct report_options *o,
                     struct report_header_row rows[REPORT_HEADER_ROWS]);
const char *report_verdict_word(enum verdict verdict); /* "FAIL", translated */
const char *report_verdict_mark(enum verdict verdict); /* "[x]" */
const char *report_typed_sentence(void); /* of a finding from what was typed by hand */
/* "12 ms", "12.345 s"; the decimal point is the same in every language. */
void report_duration(int64_t us, char *out, size_t size);
/* Steps that took no part have no time: "". */
void report_step_time(const struct record_step *step, char *out, size_t size);
/* Which findings are explained at length and not only named, the worst first; returns how many. */
size_t report_problems(const struct record *r, size_t order[RECORD_FINDINGS_MAX]);
/* Why a step was left out stands beside it in the step's own words. */
bool report_is_told(const struct record *r, const struct record_finding *rf);
/* "20, 23, 24" */
void report_evidence(const struct finding *f, char *out, size_t size);
/* Line for line, until `one` returns false. Where lines are missing it gets one with number 0. */
void report_each_line(const struct record *r, bool (*one)(void *ctx, const struct line *line),
                      void *ctx);
/* Number, report_line and a line end. The context is the writer. */
bool report_write_line(void *ctx, const struct line *line);
/* The lines that a finding rests on, cut to what can be read at a glance. */
void report_quote_evidence(const struct record *r, const struct finding *f, struct writer *w,
                           size_t indent);

enum status report_text(const struct record *r, const struct report_options *o, struct buf *out)
    MUST_CHECK;
enum status report_markdown(const struct record *r, const struct report_options *o,
                            struct buf *out) MUST_CHECK;
enum status report_ticket(const struct record *r, const struct report_options *o, struct buf *out)
    MUST_CHECK;
enum status report_json(const struct record *r, const struct report_options *o, struct buf *out)
    MUST_CHECK;

#endif
