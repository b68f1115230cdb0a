#include <stdlib.h>
#include <string.h>

#include "check_tools.h"
#include "text.h"

#define WHOAMI_TIMEOUT_MS 2000 /* a service that is slower is not worth the wait */

/* Name servers that answer a question with the address that it came from. */
struct whoami {
    const char *server, *question;
    uint16_t type; /* 0: A or AAAA, as the family is */
};

static const struct whoami services[] = {
    {"resolver1.opendns.com", "myip.opendns.com", 0},
    {"ns1.google.com", "o-o.myaddr.l.google.com", DNS_TXT},
    {"ns1-1.akamaitech.net", "whoami.akamai.net", 0},
};

/* Any address of the big world: a routing table question sends nothing. */
static const struct net_address far_away[] = {
    {.family = 4, .bytes = {198, 41, 0, 4}, .port = 53},
    {.family = 6,
     .bytes = {0x20, 0x01, 0x05, 0x03, 0xba, 0x3e, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0x30},
     .port = 53},
};

static bool is_public(const struct net_address *a)
{
    enum net_range range = net_address_range(a);
    return a->family != 0 && (range == RANGE_GLOBAL || range == RANGE_DOCUMENTATION);
}

static bool source_towards(struct check_context *c, const struct net_address *to,
                           struct net_address *out)
{
    if (c->plan->source.family != 0) {
        *out = c->plan->source;
        return c->plan->source.family == to->family;
    }
    return c->net->ops->source_for(c->net, to, out) == ST_OK;
}

/* The address that this machine uses towards the first server that it can reach. */
static bool find_local(struct check_context *c, struct net_address *to, struct net_address *local)
{
    for (size_t i = 0; i < c->target_count; i++) {
        for (size_t k = 0; k < c->targets[i].address_count; k++) {
            *to = c->targets[i].addresses[k];
            if (source_towards(c, to, local)) {
                return true;
            }
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(far_away); i++) {
        *to = far_away[i];
        if ((c->plan->family == 0 || c->plan->family == to->family) &&
            source_towards(c, to, local)) {
            return true;
        }
    }
    return false;
}

static bool read_answer(const struct dns_answer *answer, uint8_t family, struct net_address *out)
{
    for (size_t i = 0; answer->result == DNS_ANSWER && i < answer->count; i++) {
        const struct dns_record *r = &answer->records[i];
        bool good = false;
        if (r->type == DNS_TXT) {
            good = r->u.txt.len > 0 && net_address_parse(r->u.txt.text, out);
        } else if (r->type == DNS_A || r->type == DNS_AAAA) {
            *out = r->u.address;
            good = true;
        }
        if (good && out->family == family && is_public(out)) {
            out->port = 0;
            return true;
        }
    }
    return false;
}

/* ST_OK: *seen is what the service saw. ST_DNS: it was of no help. */
static enum status ask_service(struct check_context *c, const struct whoami *w, uint8_t family,
                               struct net_address *seen)
{
    uint16_t type = family == 6 ? DNS_AAAA : DNS_A;
    struct dns quick = c->dns;
    quick.config.timeout_ms = WHOAMI_TIMEOUT_MS;
    quick.config.tries = 1;
    struct dns_question ask = {.name = w->question, .type = w->type != 0 ? w->type : type};
    struct dns_question where = {.name = w->server, .type = type};
    dns_answer_init(&ask.answer);
    dns_answer_init(&where.answer);
    check_note(c, _("Asking %s which address it sees (%s)"), w->server, w->question);
    c->sink->wait(c->sink->ctx, WAIT_DNS, 2 * WHOAMI_TIMEOUT_MS);
    enum status st = dns_ask_all(&quick, &where, 1);
    if (st == ST_OK) {
        check_tell_answer(c, &where, false);
        st = where.answer.result == DNS_ANSWER && where.answer.count > 0 ? ST_OK : ST_DNS;
    }
    if (st == ST_OK) {
        struct net_address server = where.answer.records[0].u.address;
        server.port = 53;
        if (c->plan->source.family == family) {
            quick.config.source = c->plan->source;
        }
        st = dns_ask_server(&quick, &server, &ask);
        if (st == ST_OK) {
            check_tell_answer(c, &ask, true);
        }
    }
    c->sink->wait(c->sink->ctx, WAIT_NONE, 0);
    if (st == ST_OK) {
        st = read_answer(&ask.answer, family, seen) ? ST_OK : ST_DNS;
    }
    dns_answer_free(&ask.answer);
    dns_answer_free(&where.answer);
    return st;
}

static enum verdict found(struct check_context *c, const struct net_address *address,
                          const char *source, uint32_t line)
{
    struct finding f;
    char text[NET_ADDRESS_TEXT];
    net_address_format(address, text, sizeof(text));
    c->own_address = *address;
    c->own_address.port = 0;
    if (str_set(&c->domain_facts.own_address, text) != ST_OK) {
        return check_internal(c, ST_NOMEM, NULL);
    }
    c->sink->facts(c->sink->ctx, &c->domain_facts);
    finding_init(&f, "self.address.found");
    finding_arg(&f, "address", text);
    finding_arg_word(&f, "source", source);
    finding_evidence(&f, line);
    return check_report(c, &f);
}

static enum verdict behind_nat(struct check_context *c, const struct net_address *seen,
                               const struct net_address *local, const char *source, uint32_t line)
{
    struct finding f;
    char text[NET_ADDRESS_TEXT];
    char inside[NET_ADDRESS_TEXT];
    net_address_format(seen, text, sizeof(text));
    net_address_format(local, inside, sizeof(inside));
    enum verdict v = found(c, seen, source, line);
    if (net_address_same_host(seen, local)) {
        return v;
    }
    finding_init(&f, "self.address.nat");
    finding_arg(&f, "address", text);
    finding_arg(&f, "local", inside);
    finding_evidence(&f, line);
    return verdict_worse(v, check_report(c, &f));
}

static enum verdict unknown(struct check_context *c, const char *local, uint32_t line)
{
    struct finding f;
    finding_init(&f, "self.address.unknown");
    finding_arg(&f, "local", local);
    finding_evidence(&f, line);
    return check_report(c, &f);
}

enum verdict check_run_self_address(struct check_context *c)
{
    struct net_address to;
    struct net_address local = {0};
    char text[NET_ADDRESS_TEXT];
    char target[NET_ADDRESS_TEXT];
    memset(&c->own_address, 0, sizeof(c->own_address));
    memset(&c->own_local, 0, sizeof(c->own_local));
    memset(&c->domain_facts.local, 0, sizeof(c->domain_facts.local));
    if (!find_local(c, &to, &local)) {
        uint32_t line = check_note(c, _("This machine has no route to the server or to the world"));
        return unknown(c, "-", line);
    }
    c->own_local = c->domain_facts.local = local;
    net_address_format(&local, text, sizeof(text));
    net_address_format(&to, target, sizeof(target));
    uint32_t line = check_note(c, _("This machine uses %s towards %s"), text, target);
    /* A server inside our own network sees the address that we see. */
    if (is_public(&local) || !is_public(&to)) {
        return found(c, &local, N_("socket"), line);
    }
    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        struct net_address seen = {0};
        enum status st = ask_service(c, &services[i], local.family, &seen);
        if (st == ST_CANCELLED || st == ST_NOMEM) {
            return check_gave_up(c, st, NULL);
        }
        if (st == ST_OK) {
            net_address_format(&seen, text, sizeof(text));
            line = check_note(c, _("%s sees us as %s"), services[i].server, text);
            return behind_nat(c, &seen, &local, services[i].server, line);
        }
        check_note(c, _("%s did not tell"), services[i].server);
    }
    return unknown(c, text, line);
}
