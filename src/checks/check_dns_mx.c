#include <stdlib.h>
#include <string.h>

#include "check_tools.h"
#include "text.h"

#define LIST_MAX 4096

/* One MX record on its way to becoming a target. */
struct exchange {
    const char *host;
    uint16_t preference;
    uint32_t shuffle; /* equal preferences are tried in random order (RFC 5321 5.1) */
};

static struct target *add_target(struct check_context *c, const char *host, int preference)
{
    struct target *t = &c->targets[c->target_count++];
    memset(t, 0, sizeof(*t));
    str_copy(t->host, sizeof(t->host), host);
    t->preference = preference;
    return t;
}

static enum verdict named_by_user(struct check_context *c)
{
    struct finding f;
    struct net_address literal;
    struct target *t;
    if (net_address_parse(c->plan->host, &literal)) {
        literal.port = plan_port(c->plan);
        t = add_target(c, "", -1);
        t->addresses[0] = literal;
        t->address_count = 1;
    } else {
        add_target(c, c->plan->host, -1);
    }
    uint32_t line = check_note(c, _("%s was named: no MX record is asked for"), c->plan->host);
    finding_init(&f, "dns.mx.not_needed");
    finding_arg(&f, "host", c->plan->host);
    finding_evidence(&f, line);
    return check_report(c, &f);
}

static void start_finding(struct finding *f, const char *id, const struct check_context *c,
                          const struct dns_answer *answer, uint32_t line)
{
    finding_init(f, id);
    finding_arg(f, "domain", c->plan->domain);
    check_add_server(f, answer);
    if (answer->ede >= 0) {
        finding_argf(f, "ede", answer->ede_text[0] != '\0' ? "%d: %s" : "%d%s", answer->ede,
                     answer->ede_text);
    }
    finding_evidence(f, line);
}

/*
 * Validation that failed looks like a broken server. The same question with checking disabled (RFC
 * 4035 3.2.2) tells them apart: a bogus zone is answered then.
 */
static enum verdict servfail(struct check_context *c, const struct dns_answer *answer,
                             uint32_t line)
{
    struct finding f;
    struct dns_question control = {
        .name = c->plan->domain, .type = DNS_MX, .checking_disabled = true};
    dns_answer_init(&control.answer);
    enum status st = check_ask_all(c, &control, 1);
    if (st != ST_OK) {
        dns_answer_free(&control.answer);
        return check_gave_up(c, st, NULL);
    }
    bool bogus = control.answer.result == DNS_ANSWER || control.answer.result == DNS_NODATA ||
                 control.answer.result == DNS_NXDOMAIN;
    uint32_t second =
        check_note(c, bogus ? _("The same question without DNSSEC checking is answered")
                            : _("The same question without DNSSEC checking fails as well"));
    start_finding(&f, bogus ? "dns.mx.dnssec_bogus" : "dns.mx.servfail", c, answer, line);
    finding_evidence(&f, second);
    dns_answer_free(&control.answer);
    return check_report(c, &f);
}

/* RFC 5321 5.1: without any MX record the domain itself takes the mail, where it has an address. */
static enum verdict implicit_mx(struct check_context *c, const struct dns_answer *answer,
                                uint32_t line)
{
    struct finding f;
    enum verdict v = VERDICT_FAIL;
    struct dns_question ask[2] = {{.name = c->plan->domain, .type = DNS_A},
                                  {.name = c->plan->domain, .type = DNS_AAAA}};
    dns_answer_init(&ask[0].answer);
    dns_answer_init(&ask[1].answer);
    enum status st = check_ask_all(c, ask, ARRAY_LEN(ask));
    if (st != ST_OK) {
        v = check_gave_up(c, st, NULL);
        goto out;
    }
    bool none = true;
    uint32_t lines[2];
    for (size_t i = 0; i < ARRAY_LEN(ask); i++) {
        enum dns_result r = ask[i].answer.result;
        lines[i] = check_note_answer(c, ask[i].name, ask[i].type, &ask[i].answer);
        none = none && (r == DNS_NODATA || r == DNS_NXDOMAIN);
    }
    start_finding(&f, none ? "dns.mx.none" : "dns.mx.implicit", c, answer, line);
    finding_evidence(&f, lines[0]);
    finding_evidence(&f, lines[1]);
    if (!none) {
        c->implicit_mx = true;
        add_target(c, c->plan->domain, -1);
    }
    v = check_report(c, &f);
out:
    dns_answer_free(&ask[0].answer);
    dns_answer_free(&ask[1].answer);
    return v;
}

static int by_preference(const void *a, const void *b)
{
    const struct exchange *x = a;
    const struct exchange *y = b;
    if (x->preference != y->preference) {
        return x->preference < y->preference ? -1 : 1;
    }
    return x->shuffle < y->shuffle ? -1 : x->shuffle > y->shuffle;
}

/* RFC 1035 3.3.9 wants a name. Numbers and dots are no name: no top-level domain is numeric. */
static bool is_literal(const char *host)
{
    struct net_address a;
    return net_address_parse(host, &a) ||
           (host[0] != '\0' && strspn(host, "0123456789.") == strlen(host));
}

static enum verdict report_host(struct check_context *c, const char *id, const char *host,
                                uint32_t line, bool others)
{
    struct finding f;
    finding_init(&f, id);
    finding_arg(&f, "host", host);
    finding_evidence(&f, line);
    if (others && f.verdict == VERDICT_FAIL) {
        f.verdict = VERDICT_WARN;
    }
    return check_report(c, &f);
}

static bool is_known(const struct exchange *list, size_t count, const char *host)
{
    for (size_t i = 0; i < count; i++) {
        if (dns_name_equal(list[i].host, host)) {
            return true;
        }
    }
    return false;
}

/* Only names that can be looked up and shown to a server as a name; the others are findings. */
static bool is_usable(const char *host)
{
    return !is_literal(host) && dns_name_is_host(host, true) &&
           strlen(host) < sizeof(((struct target *)0)->host);
}

static enum verdict report_null(struct check_context *c, const struct dns_answer *answer,
                                const char *hosts, uint32_t line)
{
    struct finding f;
    c->null_mx = answer->count == 1;
    start_finding(&f, c->null_mx ? "dns.mx.null" : "dns.mx.null_and_others", c, answer, line);
    finding_arg(&f, "hosts", hosts);
    return check_report(c, &f);
}

/* Records in the order of preference, the null MX among them. */
static struct exchange *sorted(struct check_context *c, const struct dns_answer *answer,
                               bool *has_null)
{
    struct exchange *list = calloc(answer->count, sizeof(*list));
    *has_null = false;
    for (size_t i = 0; list != NULL && i < answer->count; i++) {
        list[i].host = answer->records[i].u.mx.exchange;
        list[i].preference = answer->records[i].u.mx.preference;
        net_random(c->net, &list[i].shuffle, sizeof(list[i].shuffle));
        *has_null = *has_null || strcmp(list[i].host, ".") == 0;
    }
    if (list != NULL) {
        qsort(list, answer->count, sizeof(*list), by_preference);
    }
    return list;
}

static enum verdict read_exchanges(struct check_context *c, const struct dns_answer *answer,
                                   uint32_t line)
{
    enum verdict worst = VERDICT_OK;
    bool has_null;
    size_t usable = 0;
    size_t kept = 0;
    struct finding f;
    struct buf hosts;
    buf_init(&hosts, LIST_MAX);
    struct exchange *list = sorted(c, answer, &has_null);
    if (list == NULL) {
        buf_free(&hosts);
        return check_internal(c, ST_NOMEM, NULL);
    }
    for (size_t i = 0; i < answer->count; i++) {
        char item[DNS_NAME_MAX + 8];
        struct buf text;
        buf_init(&text, sizeof(item));
        uint32_t shown = check_note(c, "  %u %s", list[i].preference, list[i].host);
        line = line != 0 ? line : shown;
        enum status st = buf_addf(&text, "%u %s", list[i].preference, list[i].host);
        if (st == ST_OK) {
            check_list(&hosts, buf_str(&text));
        }
        buf_free(&text);
        usable += is_usable(list[i].host) ? 1 : 0;
    }
    if (has_null) {
        worst = report_null(c, answer, buf_str(&hosts), line);
        goto out;
    }
    for (size_t i = 0; i < answer->count; i++) {
        const char *host = list[i].host;
        if (is_known(list, i, host)) {
            worst = verdict_worse(worst, report_host(c, "dns.mx.duplicate", host, line, true));
        } else if (is_literal(host)) {
            worst = verdict_worse(worst, report_host(c, "dns.mx.literal", host, line, usable > 0));
        } else if (!dns_name_is_host(host, false)) {
            enum verdict v = report_host(c, "dns.mx.bad_name", host, line, true);
            worst = verdict_worse(worst, is_usable(host) || usable > 0 ? v : VERDICT_FAIL);
        }
        if (is_usable(host) && !is_known(list, i, host)) {
            if (c->target_count < TARGETS_MAX) {
                add_target(c, host, list[i].preference);
            }
            kept++;
        }
    }
    if (kept > c->target_count || answer->dropped > 0) {
        finding_init(&f, "dns.mx.too_many");
        finding_argf(&f, "count", "%zu", kept + answer->dropped);
        finding_argf(&f, "kept", "%zu", c->target_count);
        finding_evidence(&f, line);
        worst = verdict_worse(worst, check_report(c, &f));
    }
    if (worst <= VERDICT_NOTE) {
        start_finding(&f, "dns.mx.found", c, answer, line);
        finding_arg(&f, "hosts", buf_str(&hosts));
        finding_argf(&f, "count", "%zu", c->target_count);
        worst = verdict_worse(worst, check_report(c, &f));
    }
out:
    free(list);
    buf_free(&hosts);
    return worst;
}

static enum verdict judge(struct check_context *c, const struct dns_answer *answer, uint32_t line)
{
    static const struct {
        enum dns_result result;
        const char *id;
    } failures[] = {
        {DNS_NXDOMAIN, "dns.mx.nxdomain"},    {DNS_TIMEOUT, "dns.mx.timeout"},
        {DNS_REFUSED, "dns.mx.refused"},      {DNS_UNREACHABLE, "dns.mx.unreachable"},
        {DNS_MALFORMED, "dns.mx.malformed"},  {DNS_OTHER_RCODE, "dns.mx.malformed"},
        {DNS_CNAME_LOOP, "dns.mx.malformed"}, {DNS_BAD_NAME, "dns.mx.malformed"},
    };
    struct finding f;
    switch (answer->result) {
    case DNS_ANSWER:
        return read_exchanges(c, answer, line);
    case DNS_NODATA:
        return implicit_mx(c, answer, line);
    case DNS_SERVFAIL:
        return servfail(c, answer, line);
    case DNS_CANCELLED:
        return check_stopped(c);
    default:
        break;
    }
    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        if (failures[i].result != answer->result) {
            continue;
        }
        start_finding(&f, failures[i].id, c, answer, line);
        /* A loop of aliases is the zone's own mistake, and no resolver's. */
        if (answer->result == DNS_CNAME_LOOP) {
            f.verdict = VERDICT_FAIL;
            f.who = WHO_DNS;
            f.side = SIDE_NONE;
        }
        return check_report(c, &f);
    }
    return check_internal(c, ST_DNS, dns_result_name(answer->result));
}

enum verdict check_run_dns_mx(struct check_context *c)
{
    c->target_count = 0;
    c->target_index = c->address_index = 0;
    c->implicit_mx = c->null_mx = false;
    if (c->plan->host != NULL) {
        return named_by_user(c);
    }
    int64_t start = net_now_us(c->net);
    struct dns_question ask = {.name = c->plan->domain, .type = DNS_MX};
    dns_answer_init(&ask.answer);
    enum status st = check_ask_all(c, &ask, 1);
    enum verdict v;
    if (st != ST_OK) {
        v = check_gave_up(c, st, NULL);
    } else {
        check_timed_domain(c, TIMING_MX, start);
        uint32_t line = check_note_answer(c, ask.name, DNS_MX, &ask.answer);
        v = judge(c, &ask.answer, line);
    }
    dns_answer_free(&ask.answer);
    return v;
}
