#include <stdlib.h>
#include <string.h>

#include "check_judge.h"
#include "check_session.h"
#include "check_tools.h"
#include "control.h"
#include "ehlo_facts.h"
#include "identity.h"
#include "text.h"
#include "tls_failure.h"

#define PORT_SUBMISSION 587
#define KEYWORD_LEN 8 /* of STARTTLS, which firewalls overwrite letter by letter */

/* Without TLS the path is still there; what a client may do on it depends on the port. */
static bool is_demanded(const struct check_context *c)
{
    return c->facts.address.port == PORT_SUBMISSION || c->plan->tls == PLAN_TLS_STARTTLS;
}

enum verdict judge_encrypted(struct check_context *c, const char *id, uint32_t line)
{
    struct finding f;
    enum verdict worst = verdict_worse(tls_old_version(c, line), tls_weak(c, line));
    if (worst > VERDICT_NOTE) {
        return worst;
    }
    finding_init(&f, id);
    finding_arg(&f, "version", c->smtp.tls_facts.version);
    finding_arg(&f, "cipher", c->smtp.tls_facts.cipher);
    finding_argf(&f, "port", "%u", c->facts.address.port);
    finding_evidence(&f, line);
    return verdict_worse(worst, check_report(c, &f));
}

static const struct cap *masked_starttls(const struct caps *caps)
{
    for (size_t i = 0; i < caps->count; i++) {
        if (caps->list[i].masked && caps->list[i].keyword_len == KEYWORD_LEN) {
            return &caps->list[i];
        }
    }
    return NULL;
}

/* Where the offer would have to be: the EHLO command and the end of its reply. */
static void add_offer(const struct check_context *c, struct finding *f)
{
    finding_evidence(f, c->smtp.last_client_line);
    if (c->smtp.caps.count > 0) {
        finding_evidence(f, c->smtp.caps.list[c->smtp.caps.count - 1].line);
    }
}

static enum verdict report_missing(struct check_context *c, struct finding *f)
{
    finding_argf(f, "port", "%u", c->facts.address.port);
    if (is_demanded(c) && f->verdict == VERDICT_WARN) {
        f->verdict = VERDICT_FAIL;
    }
    return check_report(c, f);
}

static enum verdict masked(struct check_context *c, const struct cap *cap)
{
    struct finding f;
    finding_init(&f, "tls.starttls.masked");
    finding_arg(&f, "keyword", cap->text);
    finding_evidence(&f, cap->line);
    return report_missing(c, &f);
}

/* The second connection was not let in: what the first did not offer may be a limit as well. */
static enum verdict withheld(struct check_context *c, struct finding *seen,
                             const struct error *error)
{
    struct finding f;
    finding_init(&f, "tls.starttls.withheld");
    for (size_t i = 0; i < seen->evidence_count; i++) {
        finding_evidence(&f, seen->evidence[i]);
    }
    finding_free(seen);
    finding_arg(&f, "text", error->text);
    return report_missing(c, &f);
}

/* Offered on the second connection: two members of a pool, or a server that plays favourites. */
static enum verdict varies(struct check_context *c, struct finding *seen, const char *first)
{
    struct finding f;
    finding_init(&f, "tls.starttls.varies");
    for (size_t i = 0; i < seen->evidence_count; i++) {
        finding_evidence(&f, seen->evidence[i]);
    }
    finding_free(seen);
    finding_arg(&f, "first", first);
    finding_arg(&f, "second", c->smtp.caps.greeting_name);
    add_offer(c, &f);
    return report_missing(c, &f);
}

/* VERDICT_OK: STARTTLS is offered after all, on the connection as it is now. */
static enum verdict not_offered(struct check_context *c, enum verdict *worst)
{
    struct finding f;
    struct error error = {.text = ""};
    uint32_t line = 0;
    const struct cap *cap = masked_starttls(&c->smtp.caps);
    if (cap != NULL) {
        return masked(c, cap);
    }
    finding_init(&f, "tls.starttls.not_offered");
    add_offer(c, &f);
    if (!c->smtp.caps.esmtp) {
        return report_missing(c, &f); /* who knows HELO alone offers nothing, ever */
    }
    char *first = str_dup(c->smtp.caps.greeting_name);
    enum status st = first != NULL ? control_again(c, SESSION_CLEAR, &line, &error) : ST_NOMEM;
    finding_evidence(&f, line);
    enum verdict v = VERDICT_OK;
    if (st == ST_CANCELLED || st == ST_NOMEM) {
        finding_free(&f);
        v = check_gave_up(c, st, NULL);
    } else if (st != ST_OK) {
        v = withheld(c, &f, &error);
    } else if (caps_has(&c->smtp.caps, CAP_STARTTLS)) {
        *worst = varies(c, &f, first);
    } else {
        add_offer(c, &f);
        f.confidence = CONFIDENCE_CERTAIN; /* seen twice */
        v = report_missing(c, &f);
    }
    free(first);
    return v;
}

enum verdict judge_injected(struct check_context *c, const struct reply *r, size_t count,
                            const char *text, size_t len)
{
    struct finding f;
    finding_init(&f, "tls.starttls.injected");
    check_add_reply(c, &f, r);
    f.class = CLASS_NONE;
    finding_argf(&f, "count", "%zu", count);
    finding_arg_span(&f, "text", text, len);
    return check_report(c, &f);
}

/* RFC 3207 4.2: nothing that was learnt in clear counts any more. */
static enum verdict greet_again(struct check_context *c, struct reply *r, uint32_t line)
{
    enum verdict v;
    int64_t start = net_now_us(c->net);
    enum status st = smtp_ehlo(&c->smtp, c->ehlo_name, r);
    check_timed(c, TIMING_EHLO2, start);
    if (!check_replied(st, r)) {
        return tls_wanted_certificate(c, st, &v) ? v : check_broken(c, st, WAIT_EHLO, r);
    }
    if (check_shutdown(c, r, &v)) {
        return v;
    }
    if (r->code / 100 != 2) {
        return check_refused(c, "tls.starttls.ehlo_failed", r);
    }
    enum verdict odd = check_oddities(c, r);
    odd = verdict_worse(odd, ehlo_facts_compare(c, &c->smtp.caps_clear, &c->smtp.caps));
    odd = verdict_worse(odd, ehlo_facts_auth(c));
    odd = verdict_worse(odd, identity_judge(c));
    if (ehlo_facts_keep(c) != ST_OK) {
        return check_internal(c, ST_NOMEM, NULL);
    }
    return verdict_worse(odd, judge_encrypted(c, "tls.starttls.ok", line));
}

enum verdict judge_starttls(struct check_context *c, const struct reply *r)
{
    struct finding f;
    enum verdict v;
    if (check_shutdown(c, r, &v)) {
        return v;
    }
    finding_init(&f, r->code / 100 == 4 ? "tls.starttls.refused_temp" : "tls.starttls.refused");
    check_add_reply(c, &f, r);
    return check_report(c, &f);
}

static void time_handshake(struct check_context *c, const struct reply *r, int64_t start)
{
    int64_t middle = start + r->elapsed_us;
    int64_t from = start - c->run_start_us;
    facts_timing(&c->facts, TIMING_STARTTLS, from, middle - c->run_start_us);
    if (r->code == 220) {
        check_timed(c, TIMING_TLS, middle);
    }
}

static enum verdict start_tls(struct check_context *c, struct reply *r, struct buf *injected)
{
    struct tls_config config;
    struct error error = {0};
    int64_t start = net_now_us(c->net);
    check_tls_config(c, &config);
    str_copy(c->facts.mode, sizeof(c->facts.mode), "starttls");
    enum status st = smtp_starttls(&c->smtp, &config, r, injected, &error);
    time_handshake(c, r, start);
    if (st == ST_PROTO && injected->len > 0) {
        return judge_injected(c, r, injected->len, buf_str(injected), injected->len);
    }
    bool begun = r->complete && r->code == 220;
    if (!begun && !check_replied(st, r)) {
        return check_broken(c, st, WAIT_STARTTLS, r);
    }
    if (r->code != 220) {
        return judge_starttls(c, r);
    }
    enum verdict odd = check_oddities(c, r);
    uint32_t line = r->line_count > 0 ? r->lines[0].number : r->command_line;
    if (tls_facts_keep(c) != ST_OK) {
        return check_internal(c, ST_NOMEM, NULL);
    }
    check_facts_changed(c);
    if (st != ST_OK) {
        return verdict_worse(odd, tls_failure_report(c, st, &error, line));
    }
    return verdict_worse(odd, greet_again(c, r, c->tls_line));
}

enum verdict check_run_starttls(struct check_context *c)
{
    struct reply reply;
    struct buf injected;
    struct error error = {0};
    enum verdict worst = VERDICT_OK;
    if (strcmp(c->facts.mode, "implicit") == 0) {
        return judge_encrypted(c, "tls.starttls.implicit", c->tls_line);
    }
    if (plan_tls_effective(c->plan) == PLAN_TLS_NONE) {
        return check_report_plain(c, "tls.starttls.off");
    }
    if (c->smtp.state != SMTP_READY || c->smtp.tls || !smtp_is_fit(&c->smtp)) {
        enum status st = session_open(c, SESSION_CLEAR, &error);
        if (st != ST_OK) {
            return check_not_reopened(c, st, &error);
        }
    }
    str_copy(c->facts.mode, sizeof(c->facts.mode), "plain");
    if (!caps_has(&c->smtp.caps, CAP_STARTTLS)) {
        enum verdict v = not_offered(c, &worst);
        if (v != VERDICT_OK) {
            return v;
        }
    }
    reply_init(&reply);
    buf_init(&injected, REPLY_TEXT_MAX);
    worst = verdict_worse(worst, start_tls(c, &reply, &injected));
    buf_free(&injected);
    reply_free(&reply);
    return worst;
}
