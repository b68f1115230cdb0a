#include <stdlib.h>
#include <string.h>

#include "check_tools.h"
#include "text.h"

#define LIST_MAX 4096

/* The two questions about one host. */
struct lookup {
    struct target *target;
    struct dns_question ask[2]; /* AAAA, A: in the order in which addresses are tried (RFC 6724) */
    bool asked;
    uint32_t line;
};

static void copy_found(struct target *t, const struct dns_answer *answer, uint16_t port)
{
    for (size_t i = 0; i < answer->count && t->address_count < TARGET_ADDRESSES_MAX; i++) {
        struct net_address a = answer->records[i].u.address;
        a.port = port;
        t->addresses[t->address_count++] = a;
    }
}

/* Names in the hosts file are what this machine would use, and may differ from what others see. */
static bool from_hosts_file(struct check_context *c, struct target *t)
{
    struct net_address found[TARGET_ADDRESSES_MAX];
    size_t n = c->net->ops->hosts_file(c->net, t->host, found, ARRAY_LEN(found));
    for (size_t i = 0; i < n; i++) {
        found[i].port = plan_port(c->plan);
        t->addresses[t->address_count++] = found[i];
    }
    if (n > 0) {
        check_note(c, _("%s stands in the hosts file of this machine: DNS is not asked"), t->host);
    }
    return n > 0;
}

static enum status ask_all(struct check_context *c, struct lookup *lookups, size_t count)
{
    enum status st = ST_OK;
    size_t n = 0;
    struct dns_question *all = calloc(count * 2, sizeof(*all));
    if (all == NULL) {
        return ST_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; lookups[i].asked && k < 2; k++) {
            all[n++] = lookups[i].ask[k];
        }
    }
    if (n > 0) {
        st = check_ask_all(c, all, n);
    }
    n = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; lookups[i].asked && k < 2; k++) {
            lookups[i].ask[k].answer = all[n++].answer; /* moved */
        }
    }
    free(all);
    return st;
}

static uint32_t note_addresses(struct check_context *c, const struct target *t)
{
    struct buf list;
    buf_init(&list, LIST_MAX);
    for (size_t i = 0; i < t->address_count; i++) {
        char text[NET_ADDRESS_TEXT];
        net_address_format(&t->addresses[i], text, sizeof(text));
        check_list(&list, text);
    }
    uint32_t line =
        check_note(c, "  %s: %s", t->host[0] != '\0' ? t->host : c->plan->host, buf_str(&list));
    buf_free(&list);
    return line;
}

static bool is_absent(enum dns_result r)
{
    return r == DNS_NODATA || r == DNS_NXDOMAIN;
}

static enum verdict report_cname(struct check_context *c, const struct lookup *l)
{
    struct finding f;
    for (size_t k = 0; k < 2; k++) {
        const struct dns_answer *answer = &l->ask[k].answer;
        /* A host that the user named may be an alias; only MX records must not point to one. */
        if (answer->cnames > 0 && l->target->preference >= 0) {
            finding_init(&f, "dns.mx.cname");
            finding_arg(&f, "host", l->target->host);
            finding_arg(&f, "target", answer->final_name);
            finding_evidence(&f, l->line);
            return check_report(c, &f);
        }
    }
    return VERDICT_OK;
}

/* Which of the answers says best why there is no address, or not every address. */
static const char *failure_id(enum dns_result r)
{
    switch (r) {
    case DNS_SERVFAIL:
    case DNS_CNAME_LOOP:
        return "dns.address.servfail";
    case DNS_TIMEOUT:
        return "dns.address.timeout";
    default:
        return "dns.address.lookup_failed";
    }
}

static enum verdict report_lookup(struct check_context *c, const struct lookup *l, bool others)
{
    enum verdict worst = report_cname(c, l);
    struct finding f;
    const struct dns_answer *failed = NULL;
    for (size_t k = 0; k < 2; k++) {
        enum dns_result r = l->ask[k].answer.result;
        if (r == DNS_CANCELLED) {
            return check_stopped(c);
        }
        if (r != DNS_ANSWER && !is_absent(r)) {
            failed = &l->ask[k].answer;
        }
    }
    bool found = l->target->address_count > 0;
    if (failed == NULL && found) {
        return worst;
    }
    if (failed == NULL) {
        finding_init(&f, "dns.address.missing");
    } else {
        finding_init(&f, failure_id(failed->result));
        check_add_server(&f, failed);
        finding_arg_word(&f, "result", dns_result_name(failed->result));
    }
    finding_arg(&f, "host", l->target->host);
    finding_evidence(&f, l->line);
    if (failed != NULL && found) {
        /* One family is known, so the mail finds its way; what broken zones cost is said all the
         * same. */
        f.verdict = f.verdict == VERDICT_FAIL ? VERDICT_WARN : VERDICT_NOTE;
        f.side = SIDE_NONE;
    } else if (others && f.verdict == VERDICT_FAIL) {
        f.verdict = VERDICT_WARN;
    }
    return verdict_worse(worst, check_report(c, &f));
}

/*
 * Documentation addresses are dead in the world, and alive in practice networks and test labs:
 * there our own address, of whichever family, is one of them.
 */
static bool lives_in_documentation(struct check_context *c)
{
    struct net_address source = c->plan->source;
    if (c->net->demo || net_address_range(&source) == RANGE_DOCUMENTATION) {
        return true;
    }
    for (size_t i = 0; i < c->target_count; i++) {
        for (size_t k = 0; k < c->targets[i].address_count; k++) {
            if (c->net->ops->source_for(c->net, &c->targets[i].addresses[k], &source) == ST_OK &&
                net_address_range(&source) == RANGE_DOCUMENTATION) {
                return true;
            }
        }
    }
    return false;
}

/* True when we are inside the same kind of network, so that the address may well work from here. */
static bool same_range_here(struct check_context *c, const struct net_address *a)
{
    struct net_address source = c->plan->source;
    if (net_address_range(a) == RANGE_DOCUMENTATION) {
        return lives_in_documentation(c);
    }
    if (source.family != a->family && c->net->ops->source_for(c->net, a, &source) != ST_OK) {
        return false;
    }
    return net_address_range(&source) == net_address_range(a);
}

static const char *range_id(enum net_range range)
{
    switch (range) {
    case RANGE_LOOPBACK:
    case RANGE_UNSPECIFIED:
        return "dns.address.loopback";
    case RANGE_LINK_LOCAL:
        return "dns.address.link_local";
    default:
        return "dns.address.private";
    }
}

/* Whether the address may be published for a mail server; *keep says whether it is worth a try. */
static enum verdict judge_address(struct check_context *c, const struct target *t,
                                  const struct net_address *a, uint32_t line, bool others,
                                  bool *keep)
{
    struct finding f;
    char text[NET_ADDRESS_TEXT];
    enum net_range range = net_address_range(a);
    bool by_user = c->plan->host != NULL;
    *keep = true;
    if (range == RANGE_GLOBAL || t->host[0] == '\0') {
        return VERDICT_OK;
    }
    bool here = same_range_here(c, a);
    /* Test labs live in these ranges. Who names a host of the own machine means it. */
    if ((here && range == RANGE_DOCUMENTATION) || (by_user && range == RANGE_LOOPBACK)) {
        return VERDICT_OK;
    }
    /* 127.0.0.1 is reachable from everywhere, and is always somebody else (RFC 5321 5.1, RFC 6890).
     */
    bool may_work = by_user || (here && range != RANGE_LOOPBACK && range != RANGE_LINK_LOCAL);
    net_address_format(a, text, sizeof(text));
    finding_init(&f, range_id(range));
    finding_arg(&f, "host", t->host);
    finding_arg(&f, "address", text);
    finding_arg(&f, "range", net_range_name(range));
    finding_evidence(&f, line);
    if (may_work) {
        f.verdict = VERDICT_NOTE;
    } else {
        f.verdict = others ? VERDICT_WARN : VERDICT_FAIL;
        *keep = false;
    }
    return check_report(c, &f);
}

static bool is_good(struct check_context *c, const struct target *t, const struct net_address *a)
{
    enum net_range range = net_address_range(a);
    return range == RANGE_GLOBAL || t->host[0] == '\0' || c->plan->host != NULL ||
           (range != RANGE_LOOPBACK && range != RANGE_LINK_LOCAL && same_range_here(c, a));
}

static size_t count_good(struct check_context *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->target_count; i++) {
        for (size_t k = 0; k < c->targets[i].address_count; k++) {
            n += is_good(c, &c->targets[i], &c->targets[i].addresses[k]) ? 1 : 0;
        }
    }
    return n;
}

static enum verdict judge_ranges(struct check_context *c, struct target *t, uint32_t line,
                                 bool others)
{
    enum verdict worst = VERDICT_OK;
    size_t kept = 0;
    for (size_t i = 0; i < t->address_count; i++) {
        bool keep;
        struct net_address a = t->addresses[i];
        worst = verdict_worse(worst, judge_address(c, t, &a, line, others, &keep));
        if (keep) {
            t->addresses[kept++] = a;
        }
    }
    t->address_count = kept;
    return worst;
}

/* -4 and -6: what they leave. True when they took something away. */
static bool filter_family(struct check_context *c)
{
    bool taken = false;
    for (size_t i = 0; c->plan->family != 0 && i < c->target_count; i++) {
        struct target *t = &c->targets[i];
        size_t kept = 0;
        for (size_t k = 0; k < t->address_count; k++) {
            if (t->addresses[k].family == c->plan->family) {
                t->addresses[kept++] = t->addresses[k];
            }
        }
        taken = taken || kept < t->address_count;
        t->address_count = kept;
    }
    return taken;
}

static size_t count_addresses(const struct check_context *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->target_count; i++) {
        n += c->targets[i].address_count;
    }
    return n;
}

static void list_hosts(const struct check_context *c, struct buf *hosts, struct buf *addresses)
{
    for (size_t i = 0; i < c->target_count; i++) {
        const struct target *t = &c->targets[i];
        if (t->address_count > 0) {
            check_list(hosts, t->host[0] != '\0' ? t->host : c->plan->host);
        }
        for (size_t k = 0; k < t->address_count; k++) {
            char text[NET_ADDRESS_TEXT];
            net_address_format(&t->addresses[k], text, sizeof(text));
            check_list(addresses, text);
        }
    }
}

/* Several hosts that are one machine give no safety. */
static enum verdict report_same(struct check_context *c)
{
    struct finding f;
    char text[NET_ADDRESS_TEXT];
    if (c->target_count < 2) {
        return VERDICT_OK;
    }
    for (size_t i = 0; i < c->target_count; i++) {
        const struct target *t = &c->targets[i];
        if (t->address_count != 1 ||
            !net_address_same_host(&t->addresses[0], &c->targets[0].addresses[0])) {
            return VERDICT_OK;
        }
    }
    struct buf hosts;
    buf_init(&hosts, LIST_MAX);
    for (size_t i = 0; i < c->target_count; i++) {
        check_list(&hosts, c->targets[i].host);
    }
    net_address_format(&c->targets[0].addresses[0], text, sizeof(text));
    finding_init(&f, "dns.address.same");
    finding_arg(&f, "address", text);
    finding_arg(&f, "hosts", buf_str(&hosts));
    buf_free(&hosts);
    return check_report(c, &f);
}

static enum verdict conclude(struct check_context *c, enum verdict worst, bool filtered,
                             uint32_t line)
{
    struct finding f;
    struct buf hosts;
    struct buf addresses;
    size_t count = count_addresses(c);
    buf_init(&hosts, LIST_MAX);
    buf_init(&addresses, LIST_MAX);
    list_hosts(c, &hosts, &addresses);
    if (count == 0 && filtered) {
        finding_init(&f, "dns.address.family");
        finding_arg(&f, "host", c->targets[0].host[0] != '\0' ? c->targets[0].host : c->plan->host);
        finding_argf(&f, "family", "IPv%d", c->plan->family);
        finding_evidence(&f, line);
        worst = verdict_worse(worst, check_report(c, &f));
    } else if (count > 0) {
        worst = verdict_worse(worst, report_same(c));
    }
    if (count > 0 && worst <= VERDICT_NOTE) {
        finding_init(&f, "dns.address.found");
        finding_arg(&f, "host", buf_str(&hosts));
        finding_arg(&f, "addresses", buf_str(&addresses));
        finding_argf(&f, "count", "%zu", count);
        finding_evidence(&f, line);
        worst = verdict_worse(worst, check_report(c, &f));
    }
    buf_free(&hosts);
    buf_free(&addresses);
    return worst;
}

static enum verdict judge(struct check_context *c, struct lookup *lookups)
{
    enum verdict worst = VERDICT_OK;
    uint32_t first = 0;
    for (size_t i = 0; i < c->target_count; i++) {
        struct lookup *l = &lookups[i];
        for (size_t k = 0; l->asked && k < 2; k++) {
            uint32_t line =
                check_note_answer(c, l->target->host, l->ask[k].type, &l->ask[k].answer);
            l->line = l->line != 0 ? l->line : line;
            copy_found(l->target, &l->ask[k].answer, plan_port(c->plan));
        }
        if (l->target->address_count > 0) {
            l->line = note_addresses(c, l->target);
            first = first != 0 ? first : l->line;
        }
    }
    size_t all = count_addresses(c);
    for (size_t i = 0; i < c->target_count; i++) {
        if (lookups[i].asked) {
            bool others = all > lookups[i].target->address_count;
            worst = verdict_worse(worst, report_lookup(c, &lookups[i], others));
        }
        if (worst == VERDICT_STOPPED) {
            return worst;
        }
    }
    bool filtered = filter_family(c);
    bool good = count_good(c) > 0;
    for (size_t i = 0; i < c->target_count; i++) {
        worst = verdict_worse(worst, judge_ranges(c, lookups[i].target, lookups[i].line, good));
    }
    return conclude(c, worst, filtered, first);
}

enum verdict check_run_dns_address(struct check_context *c)
{
    int64_t start = net_now_us(c->net);
    if (c->target_count == 0) {
        return check_skipped(c, checks[CHECK_DNS_MX].key);
    }
    struct lookup *lookups = calloc(c->target_count, sizeof(*lookups));
    if (lookups == NULL) {
        return check_internal(c, ST_NOMEM, NULL);
    }
    for (size_t i = 0; i < c->target_count; i++) {
        struct lookup *l = &lookups[i];
        l->target = &c->targets[i];
        l->ask[0] = (struct dns_question){.name = l->target->host, .type = DNS_AAAA};
        l->ask[1] = (struct dns_question){.name = l->target->host, .type = DNS_A};
        dns_answer_init(&l->ask[0].answer);
        dns_answer_init(&l->ask[1].answer);
        if (l->target->host[0] == '\0') {
            continue;
        }
        l->target->address_count = 0;
        l->asked = c->plan->host == NULL || !from_hosts_file(c, l->target);
    }
    enum status st = ask_all(c, lookups, c->target_count);
    enum verdict v;
    if (st != ST_OK) {
        v = check_gave_up(c, st, NULL);
    } else {
        check_timed_domain(c, TIMING_ADDRESS, start);
        v = judge(c, lookups);
    }
    for (size_t i = 0; i < c->target_count; i++) {
        dns_answer_free(&lookups[i].ask[0].answer);
        dns_answer_free(&lookups[i].ask[1].answer);
    }
    free(lookups);
    return v;
}
