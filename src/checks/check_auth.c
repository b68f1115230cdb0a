#include <stdlib.h>
#include <string.h>

#include "check_login.h"
#include "check_judge.h"
#include "check_session.h"
#include "check_tools.h"
#include "text.h"

#define LIST_MAX 1024
#define PORT_SUBMISSIONS 465
#define PORT_SUBMISSION 587

/*
 * What a refused login means. First match wins. `code`: 0 any, 4 all of that digit; `status`: the
 * whole enhanced code, NULL for any; `words`: to be found in the text, NULL for any.
 */
struct row {
    int code;
    const char *status, *words, *id;
};

static const struct row rows[] = {
    {0, NULL, "mechanism is too weak", "smtp.auth.refused"},
    {0, NULL, "mechanism too weak", "smtp.auth.refused"},
    {534, "5.7.9", NULL, "smtp.auth.app_password"},
    {0, NULL, "application-specific password", "smtp.auth.app_password"},
    {0, NULL, "app password", "smtp.auth.app_password"},
    {0, NULL, "application password", "smtp.auth.app_password"},
    {538, NULL, NULL, "smtp.auth.needs_tls"},
    {0, "5.7.11", NULL, "smtp.auth.needs_tls"},
    {0, NULL, "encryption required", "smtp.auth.needs_tls"},
    {530, NULL, "starttls", "smtp.auth.needs_tls"},
    {0, NULL, "must issue a starttls", "smtp.auth.needs_tls"},
    {0, "5.7.30", NULL, "smtp.auth.disabled"},
    {525, NULL, NULL, "smtp.auth.disabled"},
    {0, "5.7.13", NULL, "smtp.auth.disabled"},
    {535, "5.7.139", NULL, "smtp.auth.disabled"},
    {0, NULL, "smtpclientauthentication", "smtp.auth.disabled"},
    {0, NULL, "smtp_auth_disabled", "smtp.auth.disabled"},
    {0, NULL, "authentication is disabled", "smtp.auth.disabled"},
    {0, NULL, "authentication disabled", "smtp.auth.disabled"},
    {0, NULL, "authentication not enabled", "smtp.auth.disabled"},
    {0, NULL, "authentication unsuccessful, basic", "smtp.auth.disabled"},
    {0, NULL, "basic authentication is not supported", "smtp.auth.disabled"},
    {0, NULL, "account is disabled", "smtp.auth.disabled"},
    {0, NULL, "account disabled", "smtp.auth.disabled"},
    {432, NULL, NULL, "smtp.auth.refused"},
    {4, NULL, NULL, "smtp.auth.temporary"},
    {535, NULL, NULL, "smtp.auth.wrong"},
    {0, "5.7.8", NULL, "smtp.auth.wrong"},
};

static bool contains(struct span text, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= text.len; i++) {
        struct span part = {text.p + i, len};
        if (span_equal_nocase(part, word)) {
            return true;
        }
    }
    return false;
}

static const char *refusal_id(const struct reply *r)
{
    struct span text = {buf_str(&r->text), r->text.len};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool code = rows[i].code == 0 || rows[i].code == r->code || rows[i].code == r->code / 100;
        if (code && (rows[i].status == NULL || strcmp(rows[i].status, r->enhanced) == 0) &&
            (rows[i].words == NULL || contains(text, rows[i].words))) {
            return rows[i].id;
        }
    }
    return "smtp.auth.refused";
}

static bool is_token(enum sasl_mech mech)
{
    return mech == MECH_XOAUTH2 || mech == MECH_OAUTHBEARER;
}

enum sasl_mech login_mech(const struct check_context *c)
{
    const struct caps *caps = &c->smtp.caps;
    if (c->plan->auth_mech != NULL) {
        enum sasl_mech mech = sasl_mech_find(c->plan->auth_mech);
        return mech != MECH_NONE && caps_has_mech(caps, sasl_mech_name(mech)) ? mech : MECH_NONE;
    }
    bool binding = c->smtp.tls && sasl_can_bind(&c->smtp.tls_facts);
    return sasl_mech_choose((const char(*)[32])caps->mechs, caps->mech_count, false, binding);
}

bool login_is_allowed(const struct check_context *c, enum sasl_mech mech)
{
    bool shown = sasl_mech_sends_password(mech) && !c->smtp.tls_facts.verified;
    return c->plan->auth_in_clear || (c->smtp.tls && (!shown || c->plan->auth_unproved));
}

enum status login_run(struct check_context *c, enum sasl_mech mech, struct reply *reply,
                      struct error *error)
{
    const struct sasl_params params = {
        .mech = mech,
        .user = c->plan->auth_user != NULL ? c->plan->auth_user : "",
        .password = &c->plan->password,
        .host = c->facts.mx != NULL ? c->facts.mx : c->tls_name,
        .port = c->facts.address.port,
        .tls = c->smtp.tls ? &c->smtp.tls_facts : NULL,
    };
    return auth_run(&c->smtp, &params, reply, error);
}

static bool is_submission(const struct check_context *c)
{
    return c->facts.address.port == PORT_SUBMISSION || c->facts.address.port == PORT_SUBMISSIONS;
}

static enum verdict report_not_offered(struct check_context *c)
{
    struct finding f;
    finding_init(&f, "smtp.auth.not_offered");
    finding_argf(&f, "port", "%u", c->facts.address.port);
    finding_evidence(&f, c->smtp.last_client_line);
    if (c->smtp.caps.count > 0) {
        finding_evidence(&f, c->smtp.caps.list[c->smtp.caps.count - 1].line);
    }
    return check_report(c, &f);
}

/* No EHLO was answered under TLS, so what the server offers there is not known. */
static bool tls_was_lost(const struct check_context *c)
{
    enum verdict v = c->results[CHECK_STARTTLS];
    /* A connection that was ended after all was said has lost nothing. */
    bool left = c->smtp.state == SMTP_CLOSED && c->facts.tls != NULL && c->facts.tls->done;
    return v == VERDICT_FAIL || v == VERDICT_INCONCLUSIVE ||
           (v == VERDICT_WARN && !c->smtp.tls && !left);
}

/*
 * Nobody asked to log in: what the server offers is all that can be said. Where strangers deliver
 * mail, offering no login is as it should be, and no word that would make a good server look odd.
 */
static enum verdict without_wish(struct check_context *c)
{
    if (!is_submission(c) || caps_has(&c->smtp.caps, CAP_AUTH)) {
        return check_report_plain(c, "check.needs_consent");
    }
    /* Many servers offer it only under TLS. */
    return tls_was_lost(c) ? check_skipped(c, checks[CHECK_STARTTLS].key)
                           : report_not_offered(c);
}

static enum verdict report_no_tls(struct check_context *c)
{
    struct finding f;
    finding_init(&f, "smtp.auth.no_tls");
    finding_argf(&f, "port", "%u", c->facts.address.port);
    return check_report(c, &f);
}

static enum verdict report_no_common(struct check_context *c)
{
    struct finding f;
    struct buf offered;
    const struct cap *cap = caps_find(&c->smtp.caps, CAP_AUTH);
    buf_init(&offered, LIST_MAX);
    for (size_t i = 0; i < c->smtp.caps.mech_count; i++) {
        check_list(&offered, c->smtp.caps.mechs[i]);
    }
    finding_init(&f, "smtp.auth.no_common");
    finding_arg(&f, "offered", buf_str(&offered));
    finding_arg(&f, "wanted",
                c->plan->auth_mech != NULL ? c->plan->auth_mech
                                           : "SCRAM-SHA-256, SCRAM-SHA-1, CRAM-MD5, PLAIN, LOGIN");
    finding_evidence(&f, cap != NULL ? cap->line : 0);
    buf_free(&offered);
    return check_report(c, &f);
}

static const char *user_of(const struct check_context *c)
{
    return c->plan->auth_user != NULL ? c->plan->auth_user : "";
}

static void add_login(struct check_context *c, struct finding *f, enum sasl_mech mech)
{
    finding_arg(f, "user", user_of(c));
    finding_arg(f, "mech", sasl_mech_name(mech));
}

static enum verdict report_reply(struct check_context *c, const char *id, enum sasl_mech mech,
                                 const struct reply *r, const char *detail)
{
    struct finding f;
    finding_init(&f, id);
    check_add_reply(c, &f, r);
    add_login(c, &f, mech);
    finding_arg(&f, "detail", detail);
    return check_report(c, &f);
}

/* The words speak of a password, because the server does not know what it was given in place of one. */
static void explain_token(struct finding *f)
{
    if (f->cause != NULL && strcmp(f->cause->id, "reply.auth.wrong") == 0) {
        const struct reply_verdict token = {.cause = reply_cause_find("reply.auth.oauth_token"),
                                            .confidence = CONFIDENCE_LIKELY,
                                            .basis = f->basis};
        finding_explain(f, &token, false);
    }
}

enum verdict judge_login(struct check_context *c, const char *user, const char *mech, bool token,
                         const struct reply *r)
{
    enum verdict v;
    struct finding f;
    const char *id = r->code == 235 ? "smtp.auth.ok" : refusal_id(r);
    if (check_shutdown(c, r, &v)) {
        return v;
    }
    if (token && r->code / 100 == 5 && strcmp(id, "smtp.auth.disabled") != 0) {
        id = "smtp.auth.oauth";
    }
    finding_init(&f, id);
    check_add_reply(c, &f, r);
    if (token) {
        explain_token(&f);
    }
    finding_arg(&f, "user", user);
    finding_arg(&f, "mech", mech);
    if (r->code != 235) {
        finding_arg(&f, "detail", finding_arg_get(&f, "text"));
    }
    return check_report(c, &f);
}

/* The mechanism itself broke: the server's part of it was wrong, or it said so in the mechanism's
 * words. */
static enum verdict judge_protocol(struct check_context *c, enum sasl_mech mech,
                                   const struct reply *r, const struct error *error)
{
    struct finding f;
    if (error->sys == SASL_UNPROVEN) {
        return report_reply(c, "smtp.auth.server_unproven", mech, r, error->text);
    }
    /* RFC 5802 7: these two words are SCRAM's 535. */
    if (r->code == 535 || strstr(error->text, "invalid-proof") != NULL ||
        strstr(error->text, "unknown-user") != NULL) {
        return report_reply(c, "smtp.auth.wrong", mech, r, error->text);
    }
    finding_init(&f, "smtp.auth.protocol");
    check_add_reply(c, &f, r);
    finding_explain(&f, &(struct reply_verdict){0}, false); /* what took the login back, no refusal */
    add_login(c, &f, mech);
    finding_arg(&f, "detail", error->text);
    return check_report(c, &f);
}

static enum verdict judge(struct check_context *c, enum sasl_mech mech, enum status st,
                          const struct reply *r, const struct error *error)
{
    if (st == ST_PROTO && (r->complete || r->line_count > 0)) {
        return judge_protocol(c, mech, r, error);
    }
    if (st == ST_INVALID) {
        return check_internal(c, st, error->text);
    }
    if (!check_replied(st, r)) {
        return check_broken(c, st, WAIT_AUTH, r);
    }
    enum verdict odd = check_oddities(c, r);
    c->facts.authenticated = c->facts.authenticated || r->code == 235;
    return verdict_worse(odd, judge_login(c, user_of(c), sasl_mech_name(mech), is_token(mech), r));
}

/* Encrypted, but to whom? The password would be shown to whoever holds that key. */
static enum verdict report_unverified(struct check_context *c, enum sasl_mech mech)
{
    struct finding f;
    finding_init(&f, "smtp.auth.unverified");
    finding_arg(&f, "mech", sasl_mech_name(mech));
    finding_arg_word(&f, "reason", tls_reason_name(c->smtp.tls_facts.reason));
    finding_evidence(&f, c->tls_line);
    return check_report(c, &f);
}

static enum verdict log_in(struct check_context *c)
{
    struct reply reply;
    struct error error = {0};
    if (!caps_has(&c->smtp.caps, CAP_AUTH)) {
        return tls_was_lost(c) && !c->plan->auth_in_clear ? report_no_tls(c)
                                                          : report_not_offered(c);
    }
    if (!c->smtp.tls && !c->plan->auth_in_clear) {
        return report_no_tls(c);
    }
    enum sasl_mech mech = login_mech(c);
    if (mech == MECH_NONE) {
        return report_no_common(c);
    }
    if (!login_is_allowed(c, mech)) {
        return report_unverified(c, mech);
    }
    int64_t start = net_now_us(c->net);
    reply_init(&reply);
    enum status st = login_run(c, mech, &reply, &error);
    check_timed(c, TIMING_AUTH, start);
    enum verdict v = judge(c, mech, st, &reply, &error);
    reply_free(&reply);
    check_facts_changed(c);
    return v;
}

enum verdict check_run_auth(struct check_context *c)
{
    struct error error = {0};
    if (c->plan->read_only) {
        return check_skipped(c, "--read-only");
    }
    if (!c->plan->auth_wanted) {
        return without_wish(c);
    }
    /* One login a connection (RFC 4954 4). */
    enum status st =
        c->smtp.authenticated ? session_open(c, SESSION_READY, &error) : session_ready(c, &error);
    if (st != ST_OK) {
        return check_not_reopened(c, st, &error);
    }
    c->facts.authenticated = false;
    return log_in(c);
}
