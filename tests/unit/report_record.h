/*
 * report_record: a run made by hand, with every state a step can have and with hostile bytes in
 * every place that a server can fill.
 *
 * Threads: tests are single-threaded. Ownership: report_record_free frees all.
 */
#ifndef SMTPSCOPE_TEST_REPORT_RECORD_H
#define SMTPSCOPE_TEST_REPORT_RECORD_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

/* Controls in both spellings, bidi, zero-width, DEL, broken UTF-8, and what Markdown and JSON act
 * on. */
#define HOSTILE                                                                                    \
    "\x1b]52;c;eA==\x07\x9b"                                                                       \
    "31m\r\b\x7f\xc2\x9b\xe2\x80\xae\xe2\x80\x8b\xef\xbb\xbf\xff\xc0\xaf ``````` | <b> [x](y) \\ " \
    "\" "

struct report_run {
    struct record record;
    struct plan plan;
    struct guide *guide;
};

static inline void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

static inline void add_line(struct record *r, uint32_t n, int64_t t_us, enum check_id check,
                            enum smtp_dir dir, bool tls, uint8_t flags, const char *text,
                            size_t len)
{
    struct line line = {.number = n,
                        .t_us = t_us,
                        .path = 1,
                        .check = (uint8_t)check,
                        .dir = (uint8_t)dir,
                        .flags = flags,
                        .tls = tls,
                        .text = text,
                        .len = len};
    must(lines_add(r->lines, &line) == ST_OK);
}

static inline struct finding *add_finding(struct record *r, enum check_id check, const char *id)
{
    r->findings = realloc(r->findings, (r->finding_count + 1) * sizeof(*r->findings));
    must(r->findings != NULL);
    struct record_finding *rf = &r->findings[r->finding_count++];
    rf->check = check;
    rf->path = 1;
    finding_init(&rf->f, id);
    return &rf->f;
}

static inline void set_step(struct record *r, enum check_id check, enum verdict verdict,
                            int64_t elapsed_us)
{
    r->steps[check] = (struct record_step){.verdict = verdict,
                                           .because = CHECK_NONE,
                                           .elapsed_us = elapsed_us,
                                           .path = check < CHECK_CONNECT ? 0 : 1};
    if (verdict != VERDICT_RUNNING) {
        r->verdict = verdict_worse(r->verdict, verdict);
    }
}

static inline void add_paths(struct record *r, const char *name)
{
    for (uint16_t i = 0; i < 2; i++) {
        r->paths[i] = calloc(1, sizeof(*r->paths[i]));
        must(r->paths[i] != NULL);
        facts_init(r->paths[i], i);
    }
    r->path_count = 2;
    must(str_set(&r->paths[0]->own_address, "198.51.100.7") == ST_OK);
    must(str_set(&r->paths[0]->own_ptr, name) == ST_OK);
    struct facts *f = r->paths[1];
    must(str_set(&f->mx, name) == ST_OK);
    f->preference = 10;
    must(net_address_parse("192.0.2.10", &f->address));
    f->address.port = 25;
    str_copy(f->mode, sizeof(f->mode), "starttls");
    must(str_set(&f->banner, "220 mx1.example.com ESMTP " HOSTILE) == ST_OK);
    must(str_set(&f->ehlo_name, "probe.example.net") == ST_OK);
    must(str_set(&f->capabilities, "SIZE 10240000\nSTARTTLS\n" HOSTILE) == ST_OK);
    f->connected = true;
    facts_timing(f, TIMING_CONNECT, 1000, 32345);
    facts_timing(f, TIMING_TLS, 40000, 111000);
    f->tls = calloc(1, sizeof(*f->tls));
    must(f->tls != NULL);
    f->tls->done = true;
    f->tls->reason = TLS_REASON_SELF_SIGNED;
    str_copy(f->tls->version, sizeof(f->tls->version), "TLSv1.3");
    str_copy(f->tls->cipher, sizeof(f->tls->cipher), "TLS_AES_256_GCM_SHA384");
    str_copy(f->tls->sni, sizeof(f->tls->sni), "mx1.example.com");
    f->tls->chain_count = 1;
    f->tls->chain[0].not_after = 1798761600; /* 2027-01-01 */
    f->tls->name_count = 2;
    str_copy(f->tls->names[0], sizeof(f->tls->names[0]), "mx1.example.com");
    str_copy(f->tls->names[1], sizeof(f->tls->names[1]), HOSTILE);
}

/* What name servers said and how connecting went, told as the engine tells it. */
static inline void add_exchanges(struct record *r)
{
    for (int i = 0; i <= DNS_OTHER_RCODE; i++) {
        struct event *e = event_new(EVENT_ANSWER, 1, 0, CHECK_DNS_MX, 12000);
        must(e != NULL);
        e->u.answer = calloc(1, sizeof(*e->u.answer));
        must(e->u.answer != NULL);
        *e->u.answer = (struct dns_facts){
            .type = DNS_MX, .result = (enum dns_result)i, .ede = i - 1, .elapsed_us = 12000};
        must(str_set(&e->u.answer->name, "example.com") == ST_OK);
        must(dns_facts_add(e->u.answer, i == 0 ? "10 mx1.example.com" : HOSTILE) == ST_OK);
        must(record_apply(r, e));
        event_free(e);
    }
    for (int i = 0; i <= ST_NOMEM; i++) {
        struct event *e = event_new(EVENT_DIAL, 1, 1, CHECK_CONNECT, 463000);
        must(e != NULL);
        e->u.dial = (struct dial_facts){.status = (enum status)i, .no_route = i == ST_NOMEM};
        must(net_address_parse(i % 2 == 0 ? "192.0.2.10" : "2001:db8::10", &e->u.dial.to));
        e->u.dial.to.port = 25;
        must(record_apply(r, e));
        event_free(e);
        r->dials[i].talked = true;
        r->dials[i].ended = i > 0;
        r->dials[i].why = (enum status)i;
    }
}

static inline void add_run(struct record *r)
{
    static const char nul[] = "250 a\0b";
    static const char euro[] = "250 \xe2\x82\xac 5";
    add_line(r, 1, 0, CHECK_DNS_MX, DIR_NOTE, false, 0, "query MX example.com", 20);
    add_line(r, 2, 463500, CHECK_BANNER, DIR_SERVER, false, 0, HOSTILE, strlen(HOSTILE));
    add_line(r, 3, 471000, CHECK_EHLO, DIR_CLIENT, false, 0, "EHLO probe.example.net", 22);
    add_line(r, 4, 489000, CHECK_EHLO, DIR_SERVER, false, 0, nul, sizeof(nul) - 1);
    add_line(r, 5, 489000, CHECK_EHLO, DIR_SERVER, false, LINE_CUT, euro, sizeof(euro) - 1);
    add_line(r, 6, 490000, CHECK_STARTTLS, DIR_CLIENT, false, 0, "STARTTLS", 8);
    add_line(r, 7, 512000, CHECK_STARTTLS, DIR_SERVER, false, LINE_PROBLEM, "454 4.7.0 not now",
             17);
    add_line(r, 8, 561000, CHECK_STARTTLS, DIR_TLS, true, 0, "TLSv1.3", 7);
    add_line(r, 9, 1234567890, CHECK_RELAY, DIR_CLIENT, true, 0, "RSET", 4);
    add_line(r, 10, 1234567891, CHECK_RELAY, DIR_SERVER, true, LINE_PROBLEM, "", 0);

    set_step(r, CHECK_DNS_MX, VERDICT_OK, 12000);
    set_step(r, CHECK_DNS_ADDRESS, VERDICT_NOTE, 4400);
    set_step(r, CHECK_SELF_ADDRESS, VERDICT_INCONCLUSIVE, 0);
    set_step(r, CHECK_SELF_PTR, VERDICT_STOPPED, 1);
    set_step(r, CHECK_CONNECT, VERDICT_OK, 31345);
    set_step(r, CHECK_BANNER, VERDICT_WARN, 11000000);
    set_step(r, CHECK_EHLO, VERDICT_RUNNING, 0);
    set_step(r, CHECK_STARTTLS, VERDICT_FAIL, 22000);
    set_step(r, CHECK_CERTIFICATE, VERDICT_SKIPPED, 0);
    r->steps[CHECK_CERTIFICATE].because = CHECK_STARTTLS;
    set_step(r, CHECK_RELAY, VERDICT_ASK, 0);
    set_step(r, CHECK_AUTH, VERDICT_ASK, 0);
    set_step(r, CHECK_SEND, VERDICT_PENDING, 0);

    struct finding *f = add_finding(r, CHECK_DNS_MX, "dns.mx.found");
    finding_arg(f, "domain", "example.com");
    finding_arg(f, "hosts", "mx1.example.com");
    finding_arg(f, "count", "1");
    f = add_finding(r, CHECK_DNS_ADDRESS, "dns.address.same");
    finding_arg(f, "address", "192.0.2.10");
    finding_arg(f, "hosts", "mx1.example.com");
    f = add_finding(r, CHECK_SELF_ADDRESS, "self.ptr.lookup_failed");
    finding_arg(f, "address", "10.0.0.5");
    finding_arg(f, "result", "servfail");
    f = add_finding(r, CHECK_BANNER, "smtp.banner.masked");
    finding_arg(f, "banner", HOSTILE);
    finding_evidence(f, 2);
    f = add_finding(r, CHECK_STARTTLS, "tls.starttls.refused_temp");
    finding_arg(f, "code", "454");
    finding_arg(f, "text", "not now");
    f->class = CLASS_SYSTEM_ERROR;
    finding_evidence(f, 6);
    finding_evidence(f, 7);
    add_exchanges(r);
    r->elapsed_us = 1234567891;
    r->started_wall_us = INT64_C(1795435784000000); /* 2026-11-23T12:09:44Z */
    r->started = true;
    r->done = true;
}

static inline void report_run_init(struct report_run *run, const char *name)
{
    struct error error;
    must(record_init(&run->record, 1) == ST_OK);
    plan_init(&run->plan);
    must(str_set(&run->plan.input, "Example.com") == ST_OK);
    must(str_set(&run->plan.domain, "example.com") == ST_OK);
    must(guide_load(&run->guide, NULL, "en", &error) == ST_OK);
    if (name != NULL) {
        add_paths(&run->record, name);
        add_run(&run->record);
    }
}

static inline void report_run_free(struct report_run *run)
{
    guide_free(run->guide);
    plan_free(&run->plan);
    record_free(&run->record);
}

static inline enum status report_run_build(const struct report_run *run, enum report_format format,
                                           bool ascii, struct buf *out)
{
    struct report_options o = {format, ascii, &run->plan, run->guide, run->guide, NULL};
    return report_build(&run->record, &o, out);
}

#endif
