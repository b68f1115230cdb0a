#include <stdlib.h>
#include <string.h>

#include "check_judge.h"
#include "check_session.h"
#include "check_tools.h"
#include "ehlo_facts.h"
#include "ehlo_name.h"
#include "identity.h"
#include "sasl.h"
#include "software.h"
#include "text.h"

#define LIST_MAX 1024

/* Words of a refusal that is about the name that we gave. */
static const char *const name_words[] = {
    "helo", "ehlo",           "hostname",    "host name", "fully-qualified", "fully qualified",
    "fqdn", "invalid domain", "domain name", "argument",  "syntax",
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

/* 500 and 502 say that the command is unknown, and speak of EHLO for that reason alone. */
static bool speaks_of_name(const struct reply *r)
{
    struct span text = {buf_str(&r->text), r->text.len};
    if (r->code / 100 != 5 || r->code == 500 || r->code == 502) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(name_words); i++) {
        if (contains(text, name_words[i])) {
            return true;
        }
    }
    return false;
}

static enum verdict judge_caps(struct check_context *c, const struct reply *r);

/*
 * The name may be all that is wrong: the address literal tells, and with it the run goes on.
 * VERDICT_PENDING: it was refused as well, or could not be tried.
 */
static enum verdict try_literal(struct check_context *c, struct finding *f)
{
    char literal[NET_ADDRESS_TEXT + 8];
    struct reply again;
    enum verdict v = VERDICT_PENDING;
    ehlo_name_literal(c, literal, sizeof(literal));
    if (c->smtp.conn == NULL || strcmp(literal, c->ehlo_name) == 0) {
        return v;
    }
    check_note(c, _("For comparison: EHLO with the address instead of the name"));
    reply_init(&again);
    enum status st = smtp_ehlo(&c->smtp, literal, &again);
    if (st == ST_CANCELLED || st == ST_NOMEM) {
        v = check_gave_up(c, st, NULL);
    } else if (st == ST_OK && again.code / 100 == 2) {
        str_copy(c->ehlo_name, sizeof(c->ehlo_name), literal);
        finding_arg(f, "accepted", literal);
        finding_evidence(f, again.command_line);
        f->verdict = VERDICT_WARN;
        v = judge_caps(c, &again);
    }
    reply_free(&again);
    return v;
}

static enum verdict report_name(struct check_context *c, const struct reply *r, const char *given)
{
    struct finding f;
    finding_init(&f, "smtp.ehlo.name_rejected");
    check_add_reply(c, &f, r);
    finding_arg(&f, "name", given);
    finding_arg(&f, "accepted", "");
    /* Who types says himself what is sent next. */
    enum verdict v = c->typed ? VERDICT_PENDING : try_literal(c, &f);
    return verdict_worse(check_report(c, &f), v == VERDICT_PENDING ? VERDICT_OK : v);
}

enum verdict judge_hello(struct check_context *c, const struct reply *r, const char *given)
{
    struct finding f;
    if (speaks_of_name(r)) {
        return report_name(c, r, given);
    }
    finding_init(&f, "smtp.ehlo.refused");
    check_add_refusal(c, &f, r);
    finding_arg(&f, "name", given);
    if (r->code / 100 == 4) {
        f.verdict = VERDICT_INCONCLUSIVE;
        f.side = SIDE_THEIRS;
    }
    return check_report(c, &f);
}

/* Our address as the server sees it: fills in what nobody told, and contradicts what was wrong. */
static enum verdict compare_seen_address(struct check_context *c, uint32_t line)
{
    struct finding f;
    struct net_address seen;
    char text[NET_ADDRESS_TEXT];
    char own[NET_ADDRESS_TEXT];
    if (!caps_seen_address(&c->smtp.caps, &seen) ||
        net_address_same_host(&seen, &c->facts.address) ||
        net_address_same_host(&seen, &c->own_address)) {
        return VERDICT_OK;
    }
    net_address_format(&seen, text, sizeof(text));
    if (c->own_address.family == 0) {
        c->own_address = seen;
        finding_init(&f, "self.address.found");
        finding_arg(&f, "address", text);
        finding_arg_word(&f, "source", N_("server"));
    } else if (seen.family == c->own_address.family) {
        net_address_format(&c->own_address, own, sizeof(own));
        finding_init(&f, "self.address.differs");
        finding_arg(&f, "address", own);
        finding_arg(&f, "seen", text);
        c->own_address = seen;
    } else {
        return VERDICT_OK; /* the other family has an address of its own */
    }
    finding_evidence(&f, line);
    enum status st = str_set(&c->domain_facts.own_address, text);
    (void)st; /* without it the screen says less, and the verdict is the same */
    c->sink->facts(c->sink->ctx, &c->domain_facts);
    check_report_for(c, CHECK_SELF_ADDRESS, &f);
    return VERDICT_OK;
}

static enum verdict report_keywords(struct check_context *c, const char *id, bool masked)
{
    struct finding f;
    struct buf list;
    finding_init(&f, id);
    buf_init(&list, LIST_MAX);
    for (size_t i = 0; i < c->smtp.caps.count; i++) {
        const struct cap *cap = &c->smtp.caps.list[i];
        if (masked ? cap->masked : (cap->bad_syntax && !cap->masked)) {
            check_list(&list, cap->text);
            finding_evidence(&f, cap->line);
        }
    }
    bool any = list.len > 0;
    finding_arg(&f, "keyword", buf_str(&list));
    buf_free(&list);
    if (!any) {
        finding_free(&f);
        return VERDICT_OK;
    }
    return check_report(c, &f);
}

static enum verdict judge_auth(struct check_context *c)
{
    struct finding f;
    struct buf list;
    enum verdict worst = VERDICT_OK;
    const struct caps *caps = &c->smtp.caps;
    const struct cap *cap = caps_find(caps, CAP_AUTH);
    uint32_t line = cap != NULL ? cap->line : 0;
    buf_init(&list, LIST_MAX);
    for (size_t i = 0; i < caps->mech_count && !c->smtp.tls; i++) {
        if (sasl_mech_sends_password(sasl_mech_find(caps->mechs[i]))) {
            check_list(&list, caps->mechs[i]);
        }
    }
    if (list.len > 0) {
        finding_init(&f, "smtp.ehlo.auth_in_clear");
        finding_arg(&f, "mechs", buf_str(&list));
        finding_argf(&f, "port", "%u", c->facts.address.port);
        finding_evidence(&f, line);
        worst = check_report(c, &f);
    }
    buf_free(&list);
    if (caps->auth_old_form) {
        finding_init(&f, "smtp.ehlo.auth_old");
        finding_evidence(&f, line);
        worst = verdict_worse(worst, check_report(c, &f));
    }
    return worst;
}

static enum verdict judge_caps(struct check_context *c, const struct reply *r)
{
    struct finding f;
    enum verdict worst = check_oddities(c, r);
    worst = verdict_worse(worst, report_keywords(c, "smtp.ehlo.masked", true));
    worst = verdict_worse(worst, report_keywords(c, "smtp.ehlo.malformed", false));
    worst = verdict_worse(worst, judge_auth(c));
    worst = verdict_worse(worst, ehlo_facts_size(c));
    worst =
        verdict_worse(worst, compare_seen_address(c, r->line_count > 0 ? r->lines[0].number : 0));
    if (worst <= VERDICT_NOTE && c->smtp.caps.esmtp) {
        struct span banner = span_of(c->facts.banner != NULL ? c->facts.banner : "");
        const char *software = software_name(banner);
        if (software[0] == '\0') {
            software = software_name((struct span){buf_str(&r->text), r->text.len});
        }
        finding_init(&f, "smtp.ehlo.ok");
        check_add_reply(c, &f, r);
        finding_arg(&f, "name", c->smtp.caps.greeting_name);
        finding_argf(&f, "count", "%zu", c->smtp.caps.count);
        finding_arg(&f, "software", software);
        worst = verdict_worse(worst, check_report(c, &f));
    }
    return worst;
}

/* RFC 5321 3.2: who does not know EHLO gets the old HELO. */
static enum verdict fall_back(struct check_context *c, const struct reply *ehlo)
{
    struct reply helo;
    struct finding f;
    enum verdict v;
    reply_init(&helo);
    check_note(c, _("EHLO was refused; trying the older HELO"));
    enum status st = smtp_helo(&c->smtp, c->ehlo_name, &helo);
    if (!check_replied(st, &helo)) {
        /* What was said before the link broke says more than the break. */
        v = st == ST_CANCELLED || st == ST_NOMEM ? check_gave_up(c, st, NULL)
                                                 : judge_hello(c, ehlo, c->ehlo_name);
    } else if (check_shutdown(c, &helo, &v)) {
        /* reported */
    } else if (helo.code / 100 != 2) {
        v = judge_hello(c, speaks_of_name(&helo) ? &helo : ehlo, c->ehlo_name);
    } else {
        finding_init(&f, "smtp.ehlo.helo_only");
        check_add_reply(c, &f, ehlo);
        v = check_report(c, &f);
        v = verdict_worse(v, judge_caps(c, &helo));
    }
    reply_free(&helo);
    return v;
}

static enum verdict hello(struct check_context *c, struct reply *r)
{
    enum verdict v;
    int64_t start = net_now_us(c->net);
    enum status st = smtp_ehlo(&c->smtp, c->ehlo_name, r);
    check_timed(c, TIMING_EHLO, start);
    if (!check_replied(st, r)) {
        return check_broken(c, st, WAIT_EHLO, r);
    }
    if (check_shutdown(c, r, &v)) {
        return v;
    }
    if (r->code / 100 == 2) {
        v = judge_caps(c, r);
        return verdict_worse(v, identity_judge(c));
    }
    if (r->code / 100 == 5 && !speaks_of_name(r) && st == ST_OK && !c->smtp.lmtp) {
        return fall_back(c, r);
    }
    return r->code / 100 >= 4 ? judge_hello(c, r, c->ehlo_name)
                              : check_broken(c, ST_PROTO, WAIT_EHLO, r);
}

enum verdict check_run_ehlo(struct check_context *c)
{
    struct reply reply;
    struct error error = {0};
    enum status st = ST_OK;
    bool fresh = c->smtp.state == SMTP_GREETED || c->smtp.state == SMTP_READY;
    bool starttls = c->smtp.tls && strcmp(c->facts.mode, "implicit") != 0;
    if (c->ehlo_name[0] == '\0') {
        st = ehlo_name_choose(c);
        if (st != ST_OK) {
            return check_gave_up(c, st, NULL);
        }
    }
    /* What this step judges is the offer before STARTTLS. */
    if (!fresh || starttls || !smtp_is_fit(&c->smtp)) {
        st = session_open(c, SESSION_GREETED, &error);
        if (st != ST_OK) {
            return check_not_reopened(c, st, &error);
        }
    }
    reply_init(&reply);
    enum verdict v = hello(c, &reply);
    reply_free(&reply);
    if (ehlo_facts_keep(c) != ST_OK) {
        v = verdict_worse(v, check_internal(c, ST_NOMEM, NULL));
    }
    return v;
}
