#include <stdlib.h>
#include <string.h>

#include "check_session.h"
#include "check_tools.h"
#include "control.h"
#include "greeting.h"
#include "software.h"
#include "text.h"
#include "tls_failure.h"

#define MUTE_MS 6000 /* a port that waits for a ClientHello says nothing at all */
#define CLOCK_OFF_S 120        /* clocks that NTP keeps differ by less */
#define SLOW_US (5 * US_PER_S) /* servers that delay on purpose take longer */
#define PORT_SMTP 25
#define PORT_SUBMISSION 587

static bool is_implicit(const struct check_context *c)
{
    return strcmp(c->facts.mode, "implicit") == 0;
}

/*
 * Whether the port speaks TLS from the first byte: tried on a connection of its own, so that a
 * server which is only slow keeps the first one. ST_OK: it does.
 */
static enum status speaks_tls(struct check_context *c)
{
    struct tls_config config;
    struct net_conn *conn = NULL;
    struct net_conn *layer = NULL;
    struct error error = {0};
    int sys;
    check_note(c, _("No greeting came; for comparison, a TLS handshake on a second connection"));
    enum status st = session_dial(c, &c->facts.address, CONTROL_TLS_MS, &conn, &sys);
    if (st != ST_OK) {
        return st;
    }
    struct tls_facts *facts = calloc(1, sizeof(*facts));
    if (facts == NULL) {
        net_close(conn);
        return ST_NOMEM;
    }
    check_tls_config(c, &config);
    c->sink->wait(c->sink->ctx, WAIT_TLS, CONTROL_TLS_MS);
    st = tls_client(c->net, conn, &config, deadline_in_ms(net_now_us(c->net), CONTROL_TLS_MS),
                    c->cancel, &layer, facts, &error);
    c->sink->wait(c->sink->ctx, WAIT_NONE, 0);
    net_close(st == ST_OK ? layer : conn);
    /* An alert is an answer of something that speaks TLS. */
    if (st == ST_TLS && facts->alert >= 0) {
        st = ST_OK;
    }
    free(facts);
    return st;
}

static enum verdict report_tls_first(struct check_context *c)
{
    struct finding f;
    uint32_t line =
        check_note(c, _("The handshake is answered: this port wants TLS from the start"));
    finding_init(&f, "smtp.banner.tls_first");
    finding_argf(&f, "port", "%u", c->facts.address.port);
    finding_evidence(&f, line);
    smtp_close(&c->smtp, ST_OK);
    return check_report(c, &f);
}

/* On odd ports silence is asked for its reason before it is waited for. VERDICT_OK: go on waiting.
 */
static enum verdict look_at_silence(struct check_context *c)
{
    uint16_t port = c->facts.address.port;
    if (is_implicit(c) || port == PORT_SMTP || port == PORT_SUBMISSION || c->smtp.in.len > 0) {
        return VERDICT_OK;
    }
    struct net_wait_item item = {.conn = c->smtp.conn, .want = NET_READ};
    int limit = c->plan->limits.banner;
    c->sink->wait(c->sink->ctx, WAIT_BANNER, limit);
    enum status st = net_wait(c->net, &item, 1,
                              deadline_in_ms(net_now_us(c->net), limit < MUTE_MS ? limit : MUTE_MS),
                              c->cancel, false);
    c->sink->wait(c->sink->ctx, WAIT_NONE, 0);
    if (st == ST_CANCELLED) {
        return check_stopped(c);
    }
    if (st != ST_TIMEOUT) {
        return VERDICT_OK;
    }
    st = speaks_tls(c);
    if (st == ST_CANCELLED || st == ST_NOMEM) {
        return check_gave_up(c, st, NULL);
    }
    return st == ST_OK ? report_tls_first(c) : VERDICT_OK;
}

/* VERDICT_OK: the channel is encrypted. */
static enum verdict encrypt_first(struct check_context *c)
{
    struct tls_config config;
    struct error error = {0};
    int64_t start = net_now_us(c->net);
    check_tls_config(c, &config);
    check_note(c, _("TLS handshake before the greeting (implicit TLS)"));
    enum status st = smtp_tls_now(&c->smtp, &config, &error);
    check_timed(c, TIMING_TLS, start);
    if (tls_facts_keep(c) != ST_OK) {
        return check_internal(c, ST_NOMEM, NULL);
    }
    check_facts_changed(c);
    return st == ST_OK ? VERDICT_OK : tls_failure_report(c, st, &error, c->tls_line);
}

static struct span first_line(const struct reply *r)
{
    struct span none = {"", 0};
    return r->line_count > 0 ? reply_line_whole(r, 0) : none;
}

/* The words of the greeting proper: of the first line that has a code. */
static struct span greeting_text(const struct reply *r)
{
    struct span none = {"", 0};
    for (size_t i = 0; i < r->line_count; i++) {
        if (r->lines[i].text_off > 0) {
            return reply_line_text(r, i);
        }
    }
    return none;
}

static enum verdict report_other_protocol(struct check_context *c, const struct reply *r,
                                          const char *what)
{
    struct finding f;
    finding_init(&f, "smtp.banner.not_smtp");
    check_add_reply(c, &f, r);
    finding_explain(&f, &(struct reply_verdict){0}, false); /* it is no reply */
    finding_arg(&f, "what", what);
    smtp_close(&c->smtp, ST_OK);
    return check_report(c, &f);
}

static enum verdict closed_without_a_byte(struct check_context *c)
{
    struct finding f;
    char text[NET_ADDRESS_TEXT];
    uint16_t port = c->facts.address.port;
    if (!is_implicit(c) && port != PORT_SMTP && port != PORT_SUBMISSION) {
        enum status st = speaks_tls(c);
        if (st == ST_CANCELLED || st == ST_NOMEM) {
            return check_gave_up(c, st, NULL);
        }
        if (st == ST_OK) {
            return report_tls_first(c);
        }
    }
    uint32_t line = check_note(c, _("The connection was closed before any greeting"));
    net_address_format(&c->facts.address, text, sizeof(text));
    finding_init(&f, "smtp.banner.closed");
    finding_arg(&f, "address", text);
    finding_argf(&f, "port", "%u", port);
    finding_evidence(&f, line);
    return check_report(c, &f);
}

static enum verdict no_greeting(struct check_context *c, enum status status, const struct reply *r,
                                int64_t start)
{
    struct finding f;
    const char *what = greeting_other_protocol(first_line(r));
    if (status == ST_CANCELLED || status == ST_NOMEM) {
        return check_gave_up(c, status, NULL);
    }
    if (what != NULL) {
        return report_other_protocol(c, r, what);
    }
    enum verdict v;
    if (r->line_count == 0 && tls_wanted_certificate(c, status, &v)) {
        return v;
    }
    if (r->line_count == 0 && (status == ST_EOF || status == ST_RESET)) {
        return closed_without_a_byte(c);
    }
    if (r->line_count > 0 && greeting_is_masked(first_line(r))) {
        finding_init(&f, "smtp.banner.masked");
        check_add_reply(c, &f, r);
        finding_arg_span(&f, "banner", first_line(r).p, first_line(r).len);
        f.verdict = VERDICT_FAIL; /* not even the code is left, and no client goes on */
        return check_report(c, &f);
    }
    /* Text that never became a greeting is its own best description. */
    if (r->line_count > 0 && r->code == 0) {
        struct span text = first_line(r);
        char *other = str_ndup(text.p, text.len);
        v = report_other_protocol(c, r, other != NULL ? other : "");
        free(other);
        return v;
    }
    if (status == ST_TIMEOUT) {
        finding_init(&f, "smtp.banner.timeout");
        finding_argf(&f, "seconds", "%d",
                     (int)((net_now_us(c->net) - start + US_PER_S / 2) / US_PER_S));
        finding_evidence(&f, check_note(c, _("No greeting came")));
        return check_report(c, &f);
    }
    return check_broken(c, status, WAIT_BANNER, r);
}

/* RFC 5321 3.1: who is greeted by 554 still says QUIT. After a 4yz the server hangs up by itself.
 */
static void say_goodbye(struct check_context *c)
{
    struct reply reply;
    if (c->smtp.conn == NULL) {
        return;
    }
    reply_init(&reply);
    enum status st = smtp_command(&c->smtp, WAIT_QUIT, &reply, "QUIT");
    (void)st; /* the greeting is the result */
    reply_free(&reply);
    smtp_close(&c->smtp, ST_OK);
}

/* RFC 5321 3.1, 7504: the server does not want to talk to us, or to anybody, or not now. */
static enum verdict report_refusal(struct check_context *c, const struct reply *r)
{
    struct finding f;
    /* Some servers greet those with 521 whose address they have blocked, and say so. */
    if (r->code == 521 && check_class(c, r) == CLASS_NO_MAIL_ACCEPTED) {
        finding_init(&f, "smtp.banner.no_mail");
        check_add_reply(c, &f, r);
    } else {
        finding_init(&f, "smtp.banner.refused");
        check_add_refusal(c, &f, r);
    }
    if (r->code / 100 == 4) {
        f.verdict = VERDICT_INCONCLUSIVE;
        f.side = SIDE_THEIRS;
    }
    if (r->code / 100 == 5) {
        say_goodbye(c);
    } else {
        smtp_close(&c->smtp, ST_OK);
    }
    return check_report(c, &f);
}

static enum verdict report_text(struct check_context *c, const char *id, const char *arg,
                                struct span text, const struct reply *r)
{
    struct finding f;
    finding_init(&f, id);
    check_add_reply(c, &f, r);
    finding_arg_span(&f, arg, text.p, text.len);
    return check_report(c, &f);
}

/* One of the two clocks is wrong, and with it dates in certificates, headers and logs. */
static enum verdict compare_clocks(struct check_context *c, struct span text,
                                   const struct reply *r)
{
    struct finding f;
    char theirs[32], ours[32];
    int64_t then;
    int64_t now = net_wall_us(c->net) / US_PER_S;
    if (!greeting_time(text, &then) ||
        (then - now <= CLOCK_OFF_S && now - then <= CLOCK_OFF_S)) {
        return VERDICT_OK;
    }
    clock_iso8601(then * US_PER_S, theirs, sizeof(theirs));
    clock_iso8601(now * US_PER_S, ours, sizeof(ours));
    finding_init(&f, "smtp.banner.clock");
    finding_arg(&f, "theirs", theirs);
    finding_arg(&f, "ours", ours);
    finding_argf(&f, "seconds", "%lld", (long long)(then > now ? then - now : now - then));
    finding_evidence(&f, r->line_count > 0 ? r->lines[0].number : 0);
    return check_report(c, &f);
}

static enum verdict judge_greeting(struct check_context *c, const struct reply *r, int64_t took_us)
{
    struct finding f;
    struct span text = greeting_text(r);
    enum verdict worst = check_oddities(c, r);
    if ((r->flags & REPLY_TEXT_BEFORE) != 0) {
        worst = verdict_worse(worst,
                              report_text(c, "smtp.banner.text_before", "text", first_line(r), r));
    }
    if (greeting_is_masked(text)) {
        worst = verdict_worse(worst, report_text(c, "smtp.banner.masked", "banner", text, r));
    } else if (!greeting_has_name(text)) {
        worst = verdict_worse(worst, report_text(c, "smtp.banner.no_name", "banner", text, r));
    }
    if (took_us > SLOW_US) {
        finding_init(&f, "smtp.banner.slow");
        finding_argf(&f, "seconds", "%d", (int)((took_us + US_PER_S / 2) / US_PER_S));
        finding_evidence(&f, r->line_count > 0 ? r->lines[0].number : 0);
        worst = verdict_worse(worst, check_report(c, &f));
    }
    worst = verdict_worse(worst, compare_clocks(c, text, r));
    size_t pending = smtp_pending(&c->smtp);
    if (pending > 0) {
        struct span early = {buf_str(&c->smtp.in), c->smtp.in.len};
        (void)check_once(c, REPLY_UNASKED);
        worst = verdict_worse(worst, report_text(c, "smtp.banner.early", "text", early, r));
    }
    if (worst <= VERDICT_NOTE) {
        finding_init(&f, "smtp.banner.ok");
        check_add_reply(c, &f, r);
        finding_arg_span(&f, "banner", text.p, text.len);
        finding_arg(&f, "software", software_name(text));
        worst = verdict_worse(worst, check_report(c, &f));
    }
    return worst;
}

/* What a limit on connections looks like, or one bad member of a pool, as well as a dead server. */
static bool turned_away(const struct check_context *c, enum status st, const struct reply *r)
{
    uint16_t port = c->facts.address.port;
    bool usual = is_implicit(c) || port == PORT_SMTP || port == PORT_SUBMISSION;
    return usual && (r->line_count == 0 ? st == ST_EOF || st == ST_RESET : r->code == 421);
}

/*
 * The second try. True: this one is greeted, and *f is the finding about the first; else the first
 * speaks for itself, *r is as it was, and *st its status.
 */
static bool greeted_at_last(struct check_context *c, enum status *st, struct reply *r,
                            struct finding *f)
{
    struct error error = {.text = ""};
    struct reply again;
    uint32_t line = 0;
    enum status second = control_again(c, SESSION_CONNECTED, &line, &error);
    if (second == ST_OK && is_implicit(c)) {
        struct tls_config config;
        check_tls_config(c, &config);
        second = smtp_tls_now(&c->smtp, &config, &error);
    }
    reply_init(&again);
    if (second == ST_OK) {
        second = smtp_greeting(&c->smtp, &again);
    }
    if (second == ST_CANCELLED || second == ST_NOMEM) {
        *st = second;
    }
    bool good = second == ST_OK && again.code / 100 == 2;
    if (!good) {
        smtp_close(&c->smtp, ST_OK);
        reply_free(&again);
        return false;
    }
    finding_init(f, "smtp.banner.second_try");
    if (r->line_count > 0) {
        check_add_reply(c, f, r);
        struct span text = reply_line_whole(r, 0);
        finding_arg_span(f, "first", text.p, text.len);
    } else {
        finding_arg_word(f, "first", N_("closed without a word"));
    }
    finding_evidence(f, line);
    finding_evidence(f, again.lines[0].number);
    reply_free(r);
    *r = again;
    *st = ST_OK;
    return true;
}

static enum verdict greet(struct check_context *c, struct reply *r)
{
    struct finding first;
    enum verdict worst = VERDICT_OK;
    int64_t start = net_now_us(c->net);
    enum verdict v = look_at_silence(c);
    if (v != VERDICT_OK) {
        return v;
    }
    enum status st = smtp_greeting(&c->smtp, r);
    int64_t took = net_now_us(c->net) - start;
    check_timed(c, TIMING_BANNER, start);
    if (turned_away(c, st, r) && greeted_at_last(c, &st, r, &first)) {
        worst = check_report(c, &first);
    }
    struct span line = first_line(r);
    free(c->facts.banner);
    c->facts.banner = line.len > 0 ? str_ndup(line.p, line.len) : NULL;
    check_facts_changed(c);
    if (!check_replied(st, r)) {
        return no_greeting(c, st, r, start);
    }
    const char *what = greeting_other_protocol(first_line(r));
    if (what != NULL) {
        return report_other_protocol(c, r, what);
    }
    if (r->code / 100 != 2) {
        return r->code / 100 == 4 || r->code / 100 == 5 ? report_refusal(c, r)
                                                        : check_broken(c, ST_PROTO, WAIT_BANNER, r);
    }
    return verdict_worse(worst, judge_greeting(c, r, took));
}

enum verdict check_run_banner(struct check_context *c)
{
    struct reply reply;
    struct error error = {0};
    /* Who talked by hand before the greeting has spoilt it. */
    bool fresh = c->smtp.state == SMTP_CONNECTED && !c->smtp.tls && c->smtp.owed <= 1;
    if (!fresh || !smtp_is_fit(&c->smtp)) {
        enum status st = session_open(c, SESSION_CONNECTED, &error);
        if (st != ST_OK) {
            return check_not_reopened(c, st, &error);
        }
    }
    if (is_implicit(c)) {
        enum verdict v = encrypt_first(c);
        if (v != VERDICT_OK) {
            return v;
        }
    }
    reply_init(&reply);
    enum verdict v = greet(c, &reply);
    reply_free(&reply);
    return v;
}
