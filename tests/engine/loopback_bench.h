/*
 * loopback_bench: the unchanged engine on the system's network, against a scripted server.
 *
 * Threads: the test's. Ownership: runner_close frees what bench_open_engine opened.
 */
#ifndef SMTPSCOPE_TEST_LOOPBACK_BENCH_H
#define SMTPSCOPE_TEST_LOOPBACK_BENCH_H

#include "fake_smtp.h"
#include "runner.h"

/* For what is answered, or is said to be waited for long: nothing here lasts so long. */
#define LONG_MS 60000
/* For what never comes. */
#define SHORT_MS 300

#define RULE_OFFER_TLS                                                                             \
    {                                                                                              \
        .verb = "EHLO", .send = "250-mx.example.net\r\n250 STARTTLS\r\n"                           \
    }
#define RULES_END                                                                                  \
    {                                                                                              \
        .verb = NULL                                                                               \
    }

/* The plan names 127.0.0.1 or ::1; no name server is asked, and every limit is LONG_MS. */
void bench_open_engine(struct runner *r, int family, uint16_t port);
const char *bench_heard(const struct fake_smtp *s, size_t connection);
/* These fail the test, with all that the run told. */
void bench_must_find(const struct runner *r, const char *name, const char *id);
void bench_must_end(const struct runner *r, const char *name, enum check_id check,
                    enum verdict verdict);

#endif
