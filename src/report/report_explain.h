/*
 * report_explain: one decoded reply as a JSON object, for --explain --json.
 *
 * Threads: pure. Ownership: everything is borrowed.
 */
#ifndef SMTPSCOPE_REPORT_EXPLAIN_H
#define SMTPSCOPE_REPORT_EXPLAIN_H

#include "bounce_line.h"
#include "guide.h"

/*
 * Appends one line: {"reply","class","finding","who","confidence","title","means","do":[...],
 * "reference","link","code","enhanced","stage","vendor","basis","rule_line","temporary",...}. `shown` is
 * the text as it was given, `english` the guide of that language. ST_NOMEM, ST_LIMIT.
 */
enum status report_explain_json(struct span shown, const struct bounce_line *line,
                                const struct reply_verdict *verdict, const struct guide *english,
                                struct buf *out) MUST_CHECK;

#endif
