/*
 * scenario_rule: the part of the scenario reader that knows servers: their lines, and among them
 * the rules
 * ("on RCPT first 1: reply ...").
 *
 * Threads: pure. Ownership: what is read goes to the server.
 */
#ifndef SMTPSCOPE_SCENARIO_RULE_H
#define SMTPSCOPE_SCENARIO_RULE_H

#include "scenario_words.h"

/* One line of a server block (scenario_server.c); it splits the words itself. */
enum status server_line(struct scenario_reader *r, struct scenario_server *server) MUST_CHECK;
/* The words behind "on". */
enum status rule_read(struct scenario_reader *r, struct scenario_server *server) MUST_CHECK;
enum status tls_kind_read(struct scenario_reader *r, enum tls_kind *out) MUST_CHECK;
void server_free(struct scenario_server *server);

#endif
