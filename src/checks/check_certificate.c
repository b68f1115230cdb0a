#include <stdio.h>
#include <string.h>

#include "check_judge.h"
#include "check_tools.h"
#include "text.h"

#define SOON_DAYS 14
#define DAY_S 86400
#define LIST_MAX 1024
#define PORT_SUBMISSIONS 465
#define PORT_SUBMISSION 587

/* What a chain error is called, and whether a client that insists on the certificate stops there.
 */
struct row {
    enum tls_reason reason;
    const char *id;
    bool fails_strict;
};

static const struct row rows[] = {
    {TLS_REASON_EXPIRED, "tls.certificate.expired", true},
    {TLS_REASON_NOT_YET_VALID, "tls.certificate.not_yet_valid", true},
    {TLS_REASON_SELF_SIGNED, "tls.certificate.self_signed", true},
    {TLS_REASON_UNTRUSTED_ROOT, "tls.certificate.untrusted_root", true},
    {TLS_REASON_INCOMPLETE_CHAIN, "tls.certificate.incomplete_chain", true},
    {TLS_REASON_WRONG_NAME, "tls.certificate.wrong_name", true},
    {TLS_REASON_NO_SAN, "tls.certificate.no_san", false},
    {TLS_REASON_WEAK, "tls.certificate.weak", false},
    {TLS_REASON_REVOKED, "tls.certificate.revoked", true},
    {TLS_REASON_PURPOSE, "tls.certificate.purpose", true},
};

/*
 * Between mail servers TLS is opportunistic (RFC 7435): a certificate that proves nothing still
 * hides the mail from listeners. Programs of people check it, and so does who asked for TLS by
 * name.
 */
static bool is_strict(const struct check_context *c)
{
    return c->facts.address.port == PORT_SUBMISSIONS || c->facts.address.port == PORT_SUBMISSION ||
           c->plan->tls == PLAN_TLS_STARTTLS || c->plan->tls == PLAN_TLS_IMPLICIT;
}

static const struct tls_cert *leaf_of(const struct tls_facts *t)
{
    return t->chain_count > 0 ? &t->chain[0] : NULL;
}

/* Rounded towards the past, so that "0 days" is still valid and -1 is not. */
static int64_t days_from(int64_t now_s, int64_t then_s)
{
    int64_t diff = then_s - now_s;
    return diff >= 0 ? diff / DAY_S : -((-diff + DAY_S - 1) / DAY_S);
}

static void list_names(const struct tls_facts *t, struct buf *list)
{
    for (size_t i = 0; i < t->name_count; i++) {
        check_list(list, t->names[i]);
    }
    if (t->name_total > t->name_count) {
        check_list(list, "...");
    }
}

static void add_args(struct check_context *c, struct finding *f, const struct tls_facts *t,
                     const char *detail)
{
    struct buf names;
    char text[32];
    const struct tls_cert *leaf = leaf_of(t);
    buf_init(&names, LIST_MAX);
    list_names(t, &names);
    finding_arg(f, "name", t->name[0] != '\0' ? t->name : c->tls_name);
    finding_arg(f, "names", buf_str(&names));
    buf_free(&names);
    finding_arg(f, "detail", detail);
    if (leaf == NULL) {
        return;
    }
    int64_t days = days_from(net_wall_us(c->net) / US_PER_S, leaf->not_after);
    finding_argf(f, "days", "%lld", (long long)(days < 0 ? -days : days));
    /* The topmost certificate that came names the issuer that is missing or not trusted. */
    finding_arg(f, "issuer", t->chain[t->chain_count - 1].issuer);
    clock_iso8601(leaf->not_after * US_PER_S, text, sizeof(text));
    finding_arg(f, "not_after", text);
    clock_iso8601(leaf->not_before * US_PER_S, text, sizeof(text));
    finding_arg(f, "not_before", text);
}

static uint32_t note_leaf(struct check_context *c, const struct tls_facts *t)
{
    char from[32];
    char until[32];
    struct buf names;
    const struct tls_cert *leaf = leaf_of(t);
    if (leaf == NULL) {
        return check_note(c, _("The server showed no certificate"));
    }
    clock_iso8601(leaf->not_before * US_PER_S, from, sizeof(from));
    clock_iso8601(leaf->not_after * US_PER_S, until, sizeof(until));
    uint32_t line =
        check_note(c, _("Certificate of %s, issued by %s, valid from %s to %s, %s, %s"),
                   leaf->subject, leaf->issuer, from, until, leaf->key, leaf->signature);
    buf_init(&names, LIST_MAX);
    list_names(t, &names);
    if (names.len > 0) {
        check_note(c, _("Names in the certificate: %s"), buf_str(&names));
    } else {
        check_note(c, _("There are no names in the certificate"));
    }
    buf_free(&names);
    return line;
}

static enum verdict report_error(struct check_context *c, const struct tls_facts *t,
                                 enum tls_reason reason, uint32_t line)
{
    struct finding f;
    const struct row *row = NULL;
    const struct tls_cert *leaf = leaf_of(t);
    for (size_t i = 0; i < ARRAY_LEN(rows) && row == NULL; i++) {
        row = rows[i].reason == reason ? &rows[i] : NULL;
    }
    finding_init(&f, row != NULL ? row->id : "tls.certificate.other");
    if (reason == TLS_REASON_WEAK && leaf != NULL) {
        char weak[sizeof(leaf->key) + sizeof(leaf->signature) + 3];
        snprintf(weak, sizeof(weak), "%s, %s", leaf->key, leaf->signature);
        add_args(c, &f, t, weak);
    } else {
        add_args(c, &f, t, t->detail);
    }
    if (finding_arg_get(&f, "detail") == NULL || finding_arg_get(&f, "detail")[0] == '\0') {
        finding_arg_word(&f, "detail", tls_reason_name(reason));
    }
    finding_evidence(&f, line);
    if (is_strict(c) && (row == NULL || row->fails_strict)) {
        f.verdict = VERDICT_FAIL;
    }
    return check_report(c, &f);
}

static bool seen_before(const struct tls_facts *t, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (t->errors[i].reason == t->errors[index].reason) {
            return true;
        }
    }
    return false;
}

enum verdict judge_certificate(struct check_context *c)
{
    struct finding f;
    const struct tls_facts *t = c->facts.tls;
    enum verdict worst = VERDICT_OK;
    if (t == NULL || !t->done) {
        return check_skipped(c, checks[CHECK_STARTTLS].key);
    }
    uint32_t line = note_leaf(c, t);
    for (size_t i = 0; i < t->error_count; i++) {
        if (!seen_before(t, i)) {
            worst = verdict_worse(worst, report_error(c, t, t->errors[i].reason, line));
        }
    }
    if (t->error_count == 0 && !t->verified) {
        worst = verdict_worse(worst, report_error(c, t, t->reason, line));
    }
    const struct tls_cert *leaf = leaf_of(t);
    int64_t days = leaf != NULL ? days_from(net_wall_us(c->net) / US_PER_S, leaf->not_after) : 0;
    if (leaf != NULL && days >= 0 && days < SOON_DAYS) {
        finding_init(&f, "tls.certificate.expires_soon");
        add_args(c, &f, t, NULL);
        finding_evidence(&f, line);
        worst = verdict_worse(worst, check_report(c, &f));
    }
    if (worst <= VERDICT_NOTE) {
        finding_init(&f, "tls.certificate.ok");
        add_args(c, &f, t, NULL);
        finding_evidence(&f, line);
        worst = verdict_worse(worst, check_report(c, &f));
    }
    return worst;
}

enum verdict check_run_certificate(struct check_context *c)
{
    return judge_certificate(c);
}
