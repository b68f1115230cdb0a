/*
 * report: a recorded run as text, Markdown or JSON, or its trouble as a ticket, and safe files to put it in.
 *
 * The first three say the same: header, steps, findings with advice, transcript. JSON is the schema
 * smtpscope.report/1 (assets/report.schema.json), never translated; text and Markdown follow the guide's
 * language. Everything foreign is escaped; secrets were never recorded.
 *
 * Threads: the face's. Ownership: output goes to the caller's buffer or file.
 */
#ifndef SMTPSCOPE_REPORT_H
#define SMTPSCOPE_REPORT_H

#include "guide.h"
#include "record.h"

#define REPORT_MAX ((size_t)512 << 20)

enum report_format {
    REPORT_TEXT,
    REPORT_MARKDOWN,
    REPORT_JSON,
    REPORT_TICKET,         /* one trouble on one page (report_ticket.h), as text */
    REPORT_TICKET_MARKDOWN /* and as Markdown */
};

struct report_ticket;


struct report_options {
    enum report_format format;
    bool ascii; /* text and Markdown: nothing over 0x7f */
    const struct plan *plan;
    const struct guide *guide;         /* for people */
    const struct guide *english_guide; /* for JSON */
    const struct report_ticket *ticket; /* for a ticket; NULL: the worst that was found */
};

const char *report_extension(enum report_format format); /* "txt", "ticket.md" */
/* By file name ending; false when it says nothing. */
bool report_format_of(const char *file_name, enum report_format *out);
/* How many bytes at the end of the name tell the format; 0 when it says nothing. */
size_t report_ending(const char *file_name, enum report_format *out);
/* ST_INVALID when the guide that the format needs is missing. */
enum status report_build(const struct record *r, const struct report_options *o, struct buf *out)
    MUST_CHECK;
/* One transcript line as every text report shows it: "  0.471 C: EHLO x", without a line end. Used by --tee and
   plain mode too. */
enum status report_line(const struct line *line, bool ascii, struct buf *out) MUST_CHECK;
/* "C:", "S~": who speaks, and whether under TLS. */
const char *report_direction(const struct line *line);
const char *report_who_heading(enum who who); /* "On the mail server:", translated */
/* What marks all that comes out of the practice network, behind the word DEMO; translated. */
const char *report_demo_sentence(void);
/* "smtpscope-<host>-<port>-<UTC time>.<ext>", host reduced to [a-z0-9.-]. */
void report_file_name(const struct record *r, const struct plan *plan, enum report_format format,
                      char *out, size_t size);

#endif
