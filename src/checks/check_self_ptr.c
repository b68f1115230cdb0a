#include <stdlib.h>
#include <string.h>

#include "check_tools.h"
#include "ehlo_name.h"
#include "ptr_name.h"
#include "text.h"

#define PTR_NAMES_MAX 10 /* RFC 7208 4.6.4 stops there as well */

static void forget_server_ptrs(struct check_context *c)
{
    for (size_t i = 0; i < c->server_ptr_count; i++) {
        free(c->server_ptrs[i].name);
    }
    memset(c->server_ptrs, 0, sizeof(c->server_ptrs));
    c->server_ptr_count = 0;
}

static void choose_servers(struct check_context *c)
{
    forget_server_ptrs(c);
    for (size_t i = 0; i < c->target_count; i++) {
        const struct target *t = &c->targets[i];
        for (size_t k = 0; k < t->address_count && c->server_ptr_count < SERVER_PTRS_MAX; k++) {
            c->server_ptrs[c->server_ptr_count++].address = t->addresses[k];
        }
    }
}

/* All reverse questions at once: our own first, then those of the servers. */
static enum status ask_reverse(struct check_context *c, struct dns_question *own)
{
    struct dns_question ask[SERVER_PTRS_MAX + 1];
    char names[SERVER_PTRS_MAX][DNS_NAME_MAX];
    size_t n = 0;
    size_t first;
    if (own->name != NULL) {
        ask[n++] = *own;
    }
    first = n;
    for (size_t i = 0; i < c->server_ptr_count; i++) {
        dns_reverse_name(&c->server_ptrs[i].address, names[i], sizeof(names[i]));
        ask[n] = (struct dns_question){.name = names[i], .type = DNS_PTR};
        dns_answer_init(&ask[n++].answer);
    }
    if (n == 0) {
        return ST_OK;
    }
    enum status st = check_ask_all(c, ask, n);
    if (own->name != NULL) {
        own->answer = ask[0].answer; /* moved */
    }
    for (size_t i = first; i < n; i++) {
        const struct dns_answer *answer = &ask[i].answer;
        if (st == ST_OK && answer->result == DNS_ANSWER && answer->count > 0) {
            st = str_set(&c->server_ptrs[i - first].name, answer->records[0].u.name);
        }
        dns_answer_free(&ask[i].answer);
    }
    return st;
}

/* Index of the first name that has our address, or -1; *st when the look-up itself could not be
 * done. */
static int find_confirmed(struct check_context *c, const struct dns_answer *ptr, enum status *st)
{
    struct dns_question ask[PTR_NAMES_MAX];
    size_t n = ptr->count < PTR_NAMES_MAX ? ptr->count : PTR_NAMES_MAX;
    int found = -1;
    for (size_t i = 0; i < n; i++) {
        ask[i] = (struct dns_question){.name = ptr->records[i].u.name,
                                       .type = c->own_address.family == 6 ? DNS_AAAA : DNS_A};
        dns_answer_init(&ask[i].answer);
    }
    *st = check_ask_all(c, ask, n);
    for (size_t i = 0; i < n; i++) {
        if (*st == ST_OK) {
            check_note_answer(c, ask[i].name, ask[i].type, &ask[i].answer);
        }
        for (size_t k = 0; *st == ST_OK && found < 0 && k < ask[i].answer.count; k++) {
            if (net_address_same_host(&ask[i].answer.records[k].u.address, &c->own_address)) {
                found = (int)i;
            }
        }
        dns_answer_free(&ask[i].answer);
    }
    return found;
}

static void start_finding(struct finding *f, const char *id, const struct check_context *c,
                          const char *name, uint32_t line)
{
    char text[NET_ADDRESS_TEXT];
    net_address_format(&c->own_address, text, sizeof(text));
    finding_init(f, id);
    finding_arg(f, "address", text);
    finding_arg(f, "name", name);
    finding_evidence(f, line);
}

/* Inside a private network nobody asks for reverse names of strangers. */
static enum verdict report_missing(struct check_context *c, uint32_t line)
{
    struct finding f;
    enum net_range range = net_address_range(&c->own_address);
    start_finding(&f, "self.ptr.missing", c, NULL, line);
    if (range != RANGE_GLOBAL && range != RANGE_DOCUMENTATION) {
        f.verdict = VERDICT_NOTE;
    }
    return check_report(c, &f);
}

static enum verdict judge_names(struct check_context *c, const struct dns_answer *ptr,
                                uint32_t line)
{
    struct finding f;
    enum status st;
    for (size_t i = 0; i < ptr->count && i < PTR_NAMES_MAX; i++) {
        check_note(c, "  %s", ptr->records[i].u.name);
    }
    int index = find_confirmed(c, ptr, &st);
    if (st != ST_OK) {
        return check_gave_up(c, st, NULL);
    }
    const char *name = ptr->records[index >= 0 ? (size_t)index : 0].u.name;
    c->own_ptr_confirmed = index >= 0;
    c->domain_facts.own_ptr_confirmed = c->own_ptr_confirmed;
    if (str_set(&c->domain_facts.own_ptr, name) != ST_OK) {
        return check_internal(c, ST_NOMEM, NULL);
    }
    start_finding(&f, index >= 0 ? "self.ptr.confirmed" : "self.ptr.unconfirmed", c, name, line);
    enum verdict v = check_report(c, &f);
    if (ptr_name_is_generic(name, &c->own_address)) {
        start_finding(&f, "self.ptr.generic", c, name, line);
        v = verdict_worse(v, check_report(c, &f));
    }
    return v;
}

static enum verdict judge_own(struct check_context *c, const struct dns_question *own)
{
    struct finding f;
    char address[NET_ADDRESS_TEXT];
    /* People know the address; its reverse name has up to 72 characters. */
    net_address_format(&c->own_address, address, sizeof(address));
    uint32_t line = check_note_answer(c, address, DNS_PTR, &own->answer);
    switch (own->answer.result) {
    case DNS_ANSWER:
        return judge_names(c, &own->answer, line);
    case DNS_NODATA:
    case DNS_NXDOMAIN:
        return report_missing(c, line);
    case DNS_CANCELLED:
        return check_stopped(c);
    default:
        break;
    }
    start_finding(&f, "self.ptr.lookup_failed", c, NULL, line);
    finding_arg_word(&f, "result", dns_result_name(own->answer.result));
    return check_report(c, &f);
}

static enum verdict report_helo(struct check_context *c, const char *id,
                                const struct net_address *a, uint32_t line)
{
    struct finding f;
    char text[NET_ADDRESS_TEXT] = "";
    finding_init(&f, id);
    finding_arg(&f, "helo", c->plan->helo);
    if (a != NULL) {
        net_address_format(a, text, sizeof(text));
    }
    finding_arg(&f, "address", text);
    if (c->domain_facts.own_ptr != NULL) {
        finding_arg(&f, "name", c->domain_facts.own_ptr);
    }
    finding_evidence(&f, line);
    return check_report(c, &f);
}

/* RFC 5321 4.1.1.1: a full name, or an address in brackets. */
static bool helo_is_valid(const char *helo)
{
    struct net_address literal;
    if (helo[0] == '[') {
        return net_address_parse(helo, &literal);
    }
    return strchr(helo, '.') != NULL && dns_name_is_host(helo, false) &&
           helo[strspn(helo, "0123456789.")] != '\0' && !str_equal_nocase(helo, "localhost.localdomain");
}

/* Whether the name that the user chose leads to the address that it will be said from. */
static enum status look_up_helo(struct check_context *c, enum verdict *v)
{
    struct dns_question ask[] = {{.name = c->plan->helo, .type = DNS_A},
                                 {.name = c->plan->helo, .type = DNS_AAAA}};
    const struct net_address *first = NULL;
    bool absent = true;
    bool ours = false;
    for (size_t i = 0; i < ARRAY_LEN(ask); i++) {
        dns_answer_init(&ask[i].answer);
    }
    enum status st = check_ask_all(c, ask, ARRAY_LEN(ask));
    uint32_t line = 0;
    for (size_t i = 0; st == ST_OK && i < ARRAY_LEN(ask); i++) {
        const struct dns_answer *answer = &ask[i].answer;
        line = check_note_answer(c, c->plan->helo, ask[i].type, answer);
        absent = absent && (answer->result == DNS_NODATA || answer->result == DNS_NXDOMAIN);
        for (size_t k = 0; k < answer->count; k++) {
            const struct net_address *a = &answer->records[k].u.address;
            first = first != NULL ? first : a;
            ours = ours || net_address_same_host(a, &c->own_address);
        }
    }
    if (st == ST_OK && absent) {
        *v = report_helo(c, "self.ptr.helo_unknown", NULL, line);
    } else if (st == ST_OK && first != NULL && !ours && c->own_address.family != 0) {
        *v = report_helo(c, "self.ptr.helo_elsewhere", first, line);
    }
    for (size_t i = 0; i < ARRAY_LEN(ask); i++) {
        dns_answer_free(&ask[i].answer);
    }
    return st;
}

/* The name that the user wants to be called by. */
static enum verdict judge_helo(struct check_context *c)
{
    const char *helo = c->plan->helo;
    const char *name = c->domain_facts.own_ptr;
    enum verdict v = VERDICT_PENDING;
    if (helo == NULL || (c->own_ptr_confirmed && dns_name_equal(helo, name))) {
        return v;
    }
    if (!helo_is_valid(helo)) {
        return report_helo(c, "self.ptr.helo_invalid", NULL, 0);
    }
    if (helo[0] == '[') {
        return v;
    }
    enum status st = look_up_helo(c, &v);
    if (st != ST_OK) {
        return check_gave_up(c, st, NULL);
    }
    if (v == VERDICT_PENDING && c->own_ptr_confirmed) {
        v = report_helo(c, "self.ptr.helo_mismatch", NULL, 0);
    }
    return v;
}

enum verdict check_run_self_ptr(struct check_context *c)
{
    char reverse[DNS_NAME_MAX];
    struct dns_question own = {.name = NULL, .type = DNS_PTR};
    int64_t start = net_now_us(c->net);
    enum verdict v;
    /* The loopback address is nobody's, and has a name everywhere. */
    bool known = c->own_address.family != 0 && net_address_range(&c->own_address) != RANGE_LOOPBACK;
    c->own_ptr_confirmed = c->domain_facts.own_ptr_confirmed = false;
    free(c->domain_facts.own_ptr);
    c->domain_facts.own_ptr = NULL;
    dns_answer_init(&own.answer);
    if (known) {
        dns_reverse_name(&c->own_address, reverse, sizeof(reverse));
        own.name = reverse;
    }
    choose_servers(c);
    enum status st = ask_reverse(c, &own);
    if (st != ST_OK) {
        v = check_gave_up(c, st, NULL);
        goto out;
    }
    v = known ? judge_own(c, &own) : check_skipped(c, checks[CHECK_SELF_ADDRESS].key);
    check_timed_domain(c, TIMING_PTR, start);
    if (v == VERDICT_STOPPED) {
        goto out;
    }
    v = verdict_worse(v, judge_helo(c));
    st = ehlo_name_choose(c);
    if (st != ST_OK) {
        v = check_gave_up(c, st, NULL);
    }
out:
    dns_answer_free(&own.answer);
    return v;
}
