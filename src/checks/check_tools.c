#include "check_tools.h"

#include <string.h>

#include "text.h"

#define SLOW_REPLY_US (5 * US_PER_S)
#define EVIDENCE_REPLY_LINES 8 /* the first ones tell; the whole reply is in the transcript */

enum verdict check_report_for(struct check_context *c, enum check_id id, struct finding *f)
{
    enum verdict v = f->verdict;
    f->typed = c->typed;
    if (v == VERDICT_WARN || v == VERDICT_FAIL) {
        for (size_t i = 0; i < f->evidence_count; i++) {
            c->sink->mark(c->sink->ctx, f->evidence[i], LINE_PROBLEM);
        }
    }
    c->sink->finding(c->sink->ctx, id, f);
    memset(f, 0, sizeof(*f));
    if (!c->typed && (c->current == NULL || id != c->current->id)) {
        c->results[id] = verdict_worse(c->results[id], v);
    }
    return v;
}

enum verdict check_report(struct check_context *c, struct finding *f)
{
    return check_report_for(c, c->current->id, f);
}

enum verdict check_report_plain(struct check_context *c, const char *id)
{
    struct finding f;
    finding_init(&f, id);
    return check_report(c, &f);
}

enum verdict check_skipped(struct check_context *c, const char *because)
{
    struct finding f;
    finding_init(&f, "check.skipped");
    finding_arg(&f, "because", because);
    return check_report(c, &f);
}

enum verdict check_stopped(struct check_context *c)
{
    return check_report_plain(c, "check.stopped");
}

enum verdict check_internal(struct check_context *c, enum status status, const char *detail)
{
    struct finding f;
    finding_init(&f, "check.internal");
    if (detail != NULL && detail[0] != '\0') {
        finding_arg(&f, "detail", detail);
    } else {
        finding_arg_word(&f, "detail", status_name(status));
    }
    return check_report(c, &f);
}

enum verdict check_gave_up(struct check_context *c, enum status status, const char *detail)
{
    return status == ST_CANCELLED ? check_stopped(c) : check_internal(c, status, detail);
}

enum verdict check_not_reopened(struct check_context *c, enum status status,
                                const struct error *error)
{
    if (status == ST_CANCELLED || status == ST_NOMEM) {
        return check_gave_up(c, status, NULL);
    }
    struct finding f;
    finding_init(&f, "smtp.session.shutdown");
    if (error->text[0] != '\0') {
        finding_arg(&f, "text", error->text);
    } else {
        finding_arg_word(&f, "text", status_name(status));
    }
    return check_report(c, &f);
}

static enum reply_stage stage_of(unsigned answers)
{
    static const enum reply_stage stages[] = {
        [WAIT_CONNECT] = STAGE_CONNECT, [WAIT_BANNER] = STAGE_BANNER,
        [WAIT_EHLO] = STAGE_EHLO,       [WAIT_STARTTLS] = STAGE_STARTTLS,
        [WAIT_TLS] = STAGE_TLS,         [WAIT_AUTH] = STAGE_AUTH,
        [WAIT_MAIL] = STAGE_MAIL,       [WAIT_RCPT] = STAGE_RCPT,
        [WAIT_DATA] = STAGE_DATA,       [WAIT_BLOCK] = STAGE_DOT,
        [WAIT_DOT] = STAGE_DOT,         [WAIT_QUIT] = STAGE_QUIT,
        [WAIT_DNS] = STAGE_UNKNOWN,
    };
    return answers < ARRAY_LEN(stages) ? stages[answers] : STAGE_UNKNOWN;
}

static struct reply_verdict decode(const struct check_context *c, const struct reply *reply,
                                   struct span text)
{
    struct reply_question q = {.ehlo = span_of(c->smtp.caps.greeting_name),
                               .host = c->facts.mx,
                               .ptr = c->facts.ptr,
                               .stage = stage_of(reply->answers),
                               .code = reply->code,
                               .enhanced = reply->enhanced,
                               .text = text};
    if (c->facts.banner != NULL) {
        q.banner = span_of(c->facts.banner);
    }
    /* Only refusals have a cause. */
    return reply->code >= 400 ? reply_decode(&q) : (struct reply_verdict){0};
}

struct reply_verdict check_decode(const struct check_context *c, const struct reply *reply)
{
    struct buf text;
    buf_init(&text, REPLY_TEXT_MAX);
    enum status st = reply_join(reply, &text);
    (void)st; /* what there is tells more than nothing */
    struct reply_verdict v = decode(c, reply, (struct span){buf_str(&text), text.len});
    buf_free(&text);
    return v;
}

enum reply_class check_class(const struct check_context *c, const struct reply *reply)
{
    struct reply_verdict v = check_decode(c, reply);
    return v.cause != NULL ? v.cause->class : CLASS_NONE;
}

bool check_wants_tls(const struct reply_verdict *verdict)
{
    static const char *const ids[] = {"reply.tls.required", "reply.google.tls_missing",
                                      "reply.google.tls_required_for_recipient"};
    for (size_t i = 0; verdict->cause != NULL && i < ARRAY_LEN(ids); i++) {
        if (strcmp(verdict->cause->id, ids[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool check_about_us(const struct reply *reply, const struct reply_verdict *verdict)
{
    enum reply_class class = verdict->cause != NULL ? verdict->cause->class : CLASS_NONE;
    bool trouble = class == CLASS_SYSTEM_ERROR || class == CLASS_SYSTEM_FULL;
    return reply_class_about_client(class) || (trouble && reply->code / 100 == 5);
}

static void add_reply(const struct check_context *c, struct finding *f, const struct reply *reply,
                      bool decides)
{
    struct buf text;
    buf_init(&text, REPLY_TEXT_MAX);
    finding_argf(f, "code", "%d", reply->code);
    if (reply_join(reply, &text) == ST_OK) {
        finding_arg_span(f, "text", buf_str(&text), text.len);
    }
    struct reply_verdict v = decode(c, reply, (struct span){buf_str(&text), text.len});
    buf_free(&text);
    finding_explain(f, &v, decides || f->kind->by_cause);
    finding_evidence(f, reply->command_line);
    for (size_t i = 0; i < reply->line_count && i < EVIDENCE_REPLY_LINES; i++) {
        finding_evidence(f, reply->lines[i].number);
    }
}

void check_add_reply(const struct check_context *c, struct finding *f, const struct reply *reply)
{
    add_reply(c, f, reply, false);
}

void check_add_refusal(const struct check_context *c, struct finding *f, const struct reply *reply)
{
    add_reply(c, f, reply, true);
}

enum verdict check_refused(struct check_context *c, const char *id, const struct reply *reply)
{
    struct finding f;
    finding_init(&f, id);
    check_add_refusal(c, &f, reply);
    return check_report(c, &f);
}

bool check_replied(enum status status, const struct reply *reply)
{
    return status == ST_OK || ((status == ST_EOF || status == ST_RESET) && reply->code >= 400 &&
                               reply->line_count > 0);
}

bool check_shutdown(struct check_context *c, const struct reply *reply, enum verdict *verdict)
{
    if (reply->code != 421) {
        return false;
    }
    /* Who types by hand may want to see how the server leaves. */
    if (!c->typed) {
        smtp_close(&c->smtp, ST_EOF);
    }
    *verdict = check_refused(c, "smtp.session.shutdown", reply);
    return true;
}

static size_t longest_line(const struct reply *reply)
{
    size_t longest = 0;
    for (size_t i = 0; i < reply->line_count; i++) {
        longest = reply->lines[i].wire_len > longest ? reply->lines[i].wire_len : longest;
    }
    return longest;
}

bool check_once(struct check_context *c, unsigned flag)
{
    bool first = (c->reply_flags_told & flag) == 0;
    c->reply_flags_told |= flag;
    c->reply_flags_told_by[c->current->id] |= first ? flag : 0;
    return first;
}

/* Replies that answered nothing; what came behind the greeting is the banner check's. */
static enum verdict report_unasked(struct check_context *c)
{
    struct finding f;
    if (c->smtp.unasked == 0 || c->smtp.unasked_code == 421 || !check_once(c, REPLY_UNASKED)) {
        return VERDICT_OK;
    }
    finding_init(&f, "smtp.reply.unasked");
    if (c->odd_line == c->smtp.unasked_line) {
        finding_arg(&f, "text", c->odd_text);
    } else {
        finding_argf(&f, "text", "%d", c->smtp.unasked_code);
    }
    finding_evidence(&f, c->smtp.unasked_line);
    return check_report(c, &f);
}

/* Tarpits answer late on purpose. Who gives up early takes that for a missing answer. */
static enum verdict report_slow(struct check_context *c, const struct reply *reply)
{
    struct finding f;
    if (c->current->id == CHECK_BANNER || reply->elapsed_us < SLOW_REPLY_US ||
        !check_once(c, REPLY_SLOW)) {
        return VERDICT_OK;
    }
    finding_init(&f, "smtp.reply.slow");
    finding_arg_word(&f, "command", checks[c->current->id].title);
    finding_argf(&f, "seconds", "%d", (int)((reply->elapsed_us + US_PER_S / 2) / US_PER_S));
    finding_evidence(&f, reply->command_line);
    finding_evidence(&f, reply->line_count > 0 ? reply->lines[0].number : 0);
    return check_report(c, &f);
}

enum verdict check_oddities(struct check_context *c, const struct reply *reply)
{
    /* TEXT_BEFORE in a greeting is the banner check's. */
    static const struct {
        unsigned flag;
        const char *id;
    } table[] = {
        {REPLY_BARE_LF, "smtp.reply.bare_lf"},
        {REPLY_CODE_CHANGED, "smtp.reply.code_changed"},
        {REPLY_BAD_SEPARATOR, "smtp.reply.bad_separator"},
        {REPLY_OVERLONG, "smtp.reply.overlong"},
        {REPLY_EIGHT_BIT, "smtp.reply.eight_bit"},
        {REPLY_TEXT_BEFORE, "smtp.reply.unasked"},
    };
    enum verdict worst = verdict_worse(report_unasked(c), report_slow(c, reply));
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        bool in_greeting = table[i].flag == REPLY_TEXT_BEFORE && c->current->id == CHECK_BANNER;
        if ((reply->flags & table[i].flag) == 0 || in_greeting || !check_once(c, table[i].flag)) {
            continue;
        }
        struct finding f;
        finding_init(&f, table[i].id);
        check_add_reply(c, &f, reply);
        finding_explain(&f, &(struct reply_verdict){0}, false);
        if (table[i].flag == REPLY_BARE_LF) {
            finding_argf(&f, "count", "%zu", reply->line_count);
        } else if (table[i].flag == REPLY_OVERLONG) {
            finding_argf(&f, "octets", "%zu", longest_line(reply));
        } else if (table[i].flag == REPLY_TEXT_BEFORE) {
            struct span first = reply_line_whole(reply, 0);
            finding_arg_span(&f, "text", first.p, first.len);
        }
        worst = verdict_worse(worst, check_report(c, &f));
    }
    return worst;
}

/* The word of the protocol that was waited for, and how long it may take. */
static const char *waited_word(enum smtp_wait wait)
{
    static const char *const words[] = {
        [WAIT_NONE] = "",     [WAIT_CONNECT] = "connect",   [WAIT_BANNER] = "220",
        [WAIT_EHLO] = "EHLO", [WAIT_STARTTLS] = "STARTTLS", [WAIT_TLS] = "TLS",
        [WAIT_AUTH] = "AUTH", [WAIT_MAIL] = "MAIL",         [WAIT_RCPT] = "RCPT",
        [WAIT_DATA] = "DATA", [WAIT_BLOCK] = "DATA",        [WAIT_DOT] = ".",
        [WAIT_QUIT] = "QUIT", [WAIT_OTHER] = "RSET",        [WAIT_DNS] = "DNS",
        [WAIT_PAUSE] = "",
    };
    size_t i = (size_t)wait;
    return i < ARRAY_LEN(words) ? words[i] : "";
}

static int waited_limit(const struct smtp_limits *l, enum smtp_wait wait)
{
    switch (wait) {
    case WAIT_CONNECT:
        return l->connect;
    case WAIT_BANNER:
        return l->banner;
    case WAIT_EHLO:
        return l->ehlo;
    case WAIT_STARTTLS:
        return l->starttls;
    case WAIT_TLS:
        return l->tls;
    case WAIT_AUTH:
        return l->auth;
    case WAIT_MAIL:
        return l->mail;
    case WAIT_RCPT:
        return l->rcpt;
    case WAIT_DATA:
        return l->data;
    case WAIT_BLOCK:
        return l->block;
    case WAIT_DOT:
        return l->dot;
    case WAIT_QUIT:
        return l->quit;
    case WAIT_NONE:
    case WAIT_OTHER:
    case WAIT_DNS:
    case WAIT_PAUSE:
        break;
    }
    return l->other;
}

enum verdict check_broken(struct check_context *c, enum status status, enum smtp_wait during,
                          const struct reply *reply)
{
    enum verdict v;
    struct finding f;
    const char *id = "smtp.session.reset";
    if (status == ST_CANCELLED) {
        return check_stopped(c);
    }
    if (reply != NULL && reply->line_count > 0 && check_shutdown(c, reply, &v)) {
        return v;
    }
    if (c->smtp.unasked_code == 421 && (status == ST_EOF || status == ST_RESET)) {
        finding_init(&f, "smtp.session.shutdown");
        finding_arg(&f, "text", c->odd_line == c->smtp.unasked_line ? c->odd_text : "421");
        finding_evidence(&f, c->smtp.unasked_line);
        return check_report(c, &f);
    }
    switch (status) {
    case ST_TIMEOUT:
        id = "smtp.session.timeout";
        break;
    case ST_EOF:
    case ST_TLS:
        id = "smtp.session.closed";
        break;
    case ST_PROTO:
    case ST_LIMIT:
        id = "smtp.reply.broken";
        break;
    case ST_NOMEM:
    case ST_INVALID:
        return check_internal(c, status, NULL);
    default:
        break;
    }
    finding_init(&f, id);
    if (reply != NULL && reply->line_count > 0) {
        check_add_reply(c, &f, reply);
        struct span first = reply_line_whole(reply, 0);
        finding_arg_span(&f, "detail", first.p, first.len);
    } else {
        finding_arg_word(&f, "detail", status_name(status));
        finding_evidence(&f, reply != NULL && reply->command_line != 0 ? reply->command_line
                                                                       : c->smtp.last_client_line);
    }
    finding_arg(&f, "command", waited_word(during));
    finding_argf(&f, "seconds", "%d", waited_limit(&c->smtp.limits, during) / 1000);
    return check_report(c, &f);
}

void check_facts_changed(struct check_context *c)
{
    c->sink->facts(c->sink->ctx, &c->facts);
}

void check_timed(struct check_context *c, enum timing t, int64_t start_us)
{
    facts_timing(&c->facts, t, start_us - c->run_start_us, net_now_us(c->net) - c->run_start_us);
}

void check_timed_domain(struct check_context *c, enum timing t, int64_t start_us)
{
    facts_timing(&c->domain_facts, t, start_us - c->run_start_us,
                 net_now_us(c->net) - c->run_start_us);
    c->sink->facts(c->sink->ctx, &c->domain_facts);
}

void check_list(struct buf *list, const char *item)
{
    enum status st = buf_addf(list, list->len > 0 ? ", %s" : "%s", item);
    (void)st; /* a list that is cut still tells */
}

void check_tell_answer(struct check_context *c, const struct dns_question *q, bool direct)
{
    struct dns_facts facts;
    if (q->answer.result == DNS_CANCELLED || dns_facts_make(&facts, q, direct) != ST_OK) {
        return; /* the run says less about itself, and its verdicts are the same */
    }
    c->sink->answer(c->sink->ctx, &facts);
    dns_facts_free(&facts);
}

enum status check_ask_all(struct check_context *c, struct dns_question *questions, size_t count)
{
    int limit = (c->dns.config.timeout_ms > 0 ? c->dns.config.timeout_ms : 5000) *
                (c->dns.config.tries > 0 ? c->dns.config.tries : 2);
    c->sink->wait(c->sink->ctx, WAIT_DNS, limit);
    enum status st = dns_ask_all(&c->dns, questions, count);
    c->sink->wait(c->sink->ctx, WAIT_NONE, 0);
    for (size_t i = 0; st == ST_OK && i < count; i++) {
        check_tell_answer(c, &questions[i], false);
    }
    return st;
}

uint32_t check_note_answer(struct check_context *c, const char *name, uint16_t type,
                           const struct dns_answer *answer)
{
    char kind[16];
    char server[NET_ADDRESS_TEXT];
    dns_type_name(type, kind, sizeof(kind));
    net_address_format(&answer->server, server, sizeof(server));
    int ms = (int)(answer->elapsed_us / US_PER_MS);
    switch (answer->result) {
    case DNS_ANSWER:
        return check_note(c,
                          Q_("%s of %s: %zu record from %s in %d ms",
                             "%s of %s: %zu records from %s in %d ms", answer->count),
                          kind, name, answer->count, server, ms);
    case DNS_NODATA:
        return check_note(c, _("%s of %s: there is none, says %s in %d ms"), kind, name, server,
                          ms);
    case DNS_NXDOMAIN:
        return check_note(c, _("%s of %s: the name does not exist, says %s in %d ms"), kind, name,
                          server, ms);
    case DNS_TIMEOUT:
        return check_note(c, _("%s of %s: no answer from %s within %d ms"), kind, name, server, ms);
    case DNS_UNREACHABLE:
        return check_note(c, _("%s of %s: no name server can be reached"), kind, name);
    default:
        break;
    }
    if (answer->ede >= 0) {
        return check_note(c, _("%s of %s: %s from %s in %d ms (extended error %d %s)"), kind, name,
                          dns_result_word(answer->result), server, ms, answer->ede,
                          answer->ede_text);
    }
    return check_note(c, _("%s of %s: %s from %s in %d ms"), kind, name,
                      dns_result_word(answer->result), server, ms);
}

void check_add_server(struct finding *f, const struct dns_answer *answer)
{
    char text[NET_ADDRESS_TEXT];
    net_address_format(&answer->server, text, sizeof(text));
    finding_arg(f, "server", text);
}
