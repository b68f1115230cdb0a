#include "dns_msg.h"

/* nameser.h takes its integer types from here on some systems. */
#include <netinet/in.h>

#include <arpa/nameser.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

#include "dns_record.h"
#include "text.h"

#define FLAG_QR 0x8000u
#define FLAG_AA 0x0400u
#define FLAG_TC 0x0200u
#define FLAG_RD 0x0100u
#define FLAG_RA 0x0080u
#define FLAG_AD 0x0020u
#define FLAG_CD 0x0010u
#define OPCODE(flags) (((flags) >> 11) & 15u)
#define RCODE(flags) ((flags)&15u)

#define TYPE_OPT 41
#define OPT_RECORD_SIZE 11
#define OPT_DO 0x8000u
#define OPTION_EDE 15 /* RFC 8914 section 2 */

const char *dns_result_name(enum dns_result result)
{
    switch (result) {
#define X(id, name)                                                                                \
    case id:                                                                                       \
        return name;
        DNS_RESULT_LIST(X)
#undef X
    }
    return "unknown";
}

const char *dns_result_word(enum dns_result result)
{
    return _(dns_result_name(result));
}

enum status dns_msg_query(struct buf *out, uint16_t id, const char *name, uint16_t type,
                          uint16_t class, bool checking_disabled)
{
    uint8_t packet[NS_PACKETSZ];
    uint8_t wire[DNS_WIRE_NAME_MAX + 1];
    size_t wire_len;
    if (dns_name_encode(name, wire, &wire_len) != ST_OK) {
        return ST_INVALID;
    }
    /* Zeroed and not res_ninit'ed: no file of this machine is read for a question. */
    struct __res_state state;
    memset(&state, 0, sizeof(state));
    state.options = RES_INIT | RES_RECURSE;
    int len = res_nmkquery(&state, ns_o_query, name, class, type, NULL, 0, NULL, packet,
                           (int)sizeof(packet) - OPT_RECORD_SIZE);
    if (len < DNS_HEADER_SIZE) {
        return ST_INVALID;
    }
    ns_put16(id, packet);
    ns_put16(FLAG_RD | (checking_disabled ? FLAG_CD : 0), packet + 2);
    ns_put16(1, packet + 10);
    uint8_t *opt = packet + len;
    opt[0] = 0;
    ns_put16(TYPE_OPT, opt + 1);
    ns_put16(DNS_EDNS_SIZE, opt + 3);
    ns_put32(OPT_DO, opt + 5); /* extended rcode and version 0 above it (RFC 6891 6.1.3) */
    ns_put16(0, opt + 9);
    return buf_add(out, packet, (size_t)len + OPT_RECORD_SIZE);
}

void dns_msg_drop_edns(struct buf *query)
{
    if (query->len < DNS_HEADER_SIZE + OPT_RECORD_SIZE || query->p[11] != 1) {
        return;
    }
    query->p[11] = 0;
    query->len -= OPT_RECORD_SIZE;
    query->p[query->len] = '\0';
}

static bool wire_names_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        /* Length octets are below 64 and so never taken for letters. */
        uint8_t x = a[i] >= 'A' && a[i] <= 'Z' ? (uint8_t)(a[i] | 0x20) : a[i];
        uint8_t y = b[i] >= 'A' && b[i] <= 'Z' ? (uint8_t)(b[i] | 0x20) : b[i];
        if (x != y) {
            return false;
        }
    }
    return true;
}

static size_t wire_name_len(const uint8_t *wire)
{
    size_t len = 0;
    while (wire[len] != 0) {
        len += (size_t)wire[len] + 1;
    }
    return len + 1;
}

bool dns_msg_is_reply(const void *p, size_t len, uint16_t id, const char *name, uint16_t type,
                      uint16_t class)
{
    const uint8_t *msg = p;
    if (len < DNS_HEADER_SIZE || len > DNS_MESSAGE_MAX || ns_get16(msg) != id) {
        return false;
    }
    unsigned flags = ns_get16(msg + 2);
    if (!(flags & FLAG_QR) || OPCODE(flags) != ns_o_query) {
        return false;
    }
    unsigned questions = ns_get16(msg + 4);
    if (questions == 0) {
        return RCODE(flags) != ns_r_noerror && RCODE(flags) != ns_r_nxdomain;
    }
    uint8_t asked[DNS_WIRE_NAME_MAX + 1], echoed[DNS_WIRE_NAME_MAX + 1];
    size_t asked_len;
    if (questions != 1 || dns_name_encode(name, asked, &asked_len) != ST_OK) {
        return false;
    }
    int used = ns_name_unpack(msg, msg + len, msg + DNS_HEADER_SIZE, echoed, sizeof(echoed));
    if (used < 0 || len - DNS_HEADER_SIZE - (size_t)used < 4) {
        return false;
    }
    const uint8_t *rest = msg + DNS_HEADER_SIZE + used;
    return wire_name_len(echoed) == asked_len && wire_names_equal(asked, echoed, asked_len) &&
           ns_get16(rest) == type && ns_get16(rest + 2) == class;
}

static void free_records(struct dns_answer *answer)
{
    for (size_t i = 0; i < answer->count; i++) {
        dns_record_free(&answer->records[i]);
    }
    free(answer->records);
    answer->records = NULL;
    answer->count = 0;
    answer->dropped = 0;
    if (answer->authority != NULL) {
        dns_record_free(answer->authority);
        free(answer->authority);
        answer->authority = NULL;
    }
}

void dns_answer_init(struct dns_answer *answer)
{
    memset(answer, 0, sizeof(*answer));
    answer->result = DNS_TIMEOUT;
    answer->rcode = -1;
    answer->ede = -1;
}

void dns_answer_free(struct dns_answer *answer)
{
    free_records(answer);
    dns_answer_init(answer);
}

struct reading {
    ns_msg msg;
    uint16_t type, class;
    struct dns_place *places; /* of the answer section: the asked type and CNAMEs, right class */
    bool *followed;           /* which of them, when it is a CNAME */
    size_t place_count;
    bool has_ns; /* in the authority section */
    bool loop;
    struct dns_answer *answer;
};

/* The owner borrows the text of rr. */
static struct dns_place place_of(const struct reading *r, ns_rr *rr)
{
    struct dns_place place = {
        .msg = ns_msg_base(r->msg),
        .msg_end = ns_msg_end(r->msg),
        .owner = ns_rr_name(*rr),
        .type = (uint16_t)ns_rr_type(*rr),
        .ttl = ns_rr_ttl(*rr),
        .rdata = ns_rr_rdata(*rr),
        .rdata_end = ns_rr_rdata(*rr) + ns_rr_rdlen(*rr),
    };
    return place;
}

static enum status read_answer_section(struct reading *r)
{
    size_t total = (size_t)ns_msg_count(r->msg, ns_s_an);
    if (total == 0) {
        return ST_OK;
    }
    /* ns_initparse has seen every record, so `total` is at most what fits into the message. */
    r->places = calloc(total, sizeof(*r->places));
    r->followed = calloc(total, sizeof(*r->followed));
    if (r->places == NULL || r->followed == NULL) {
        return ST_NOMEM;
    }
    for (size_t i = 0; i < total; i++) {
        ns_rr rr;
        if (ns_parserr(&r->msg, ns_s_an, (int)i, &rr) < 0) {
            return ST_PROTO;
        }
        struct dns_place place = place_of(r, &rr);
        if ((uint16_t)ns_rr_class(rr) != r->class ||
            (place.type != r->type && place.type != DNS_CNAME)) {
            continue;
        }
        place.owner = str_dup(place.owner);
        if (place.owner == NULL) {
            return ST_NOMEM;
        }
        r->places[r->place_count++] = place;
    }
    return ST_OK;
}

static enum status read_authority_section(struct reading *r)
{
    for (int i = 0; i < ns_msg_count(r->msg, ns_s_ns); i++) {
        ns_rr rr;
        if (ns_parserr(&r->msg, ns_s_ns, i, &rr) < 0) {
            return ST_PROTO;
        }
        struct dns_place place = place_of(r, &rr);
        r->has_ns = r->has_ns || place.type == DNS_NS;
        if (place.type != DNS_SOA || r->answer->authority != NULL) {
            continue;
        }
        struct dns_record *soa = malloc(sizeof(*soa));
        if (soa == NULL) {
            return ST_NOMEM;
        }
        enum status st = dns_record_read(soa, &place);
        if (st != ST_OK) {
            free(soa);
            return st;
        }
        r->answer->authority = soa;
    }
    return ST_OK;
}

static enum status read_options(struct dns_answer *answer, const uint8_t *at, const uint8_t *end)
{
    while (at < end) {
        if (end - at < 4 || (size_t)(end - at - 4) < ns_get16(at + 2)) {
            return ST_PROTO;
        }
        unsigned code = ns_get16(at);
        size_t len = ns_get16(at + 2);
        at += 4;
        if (code == OPTION_EDE && answer->ede < 0) {
            if (len < 2) {
                return ST_PROTO;
            }
            size_t text = len - 2;
            if (text > sizeof(answer->ede_text) - 1) {
                text = sizeof(answer->ede_text) - 1;
            }
            answer->ede = (int)ns_get16(at);
            memcpy(answer->ede_text, at + 2, text);
            answer->ede_text[text] = '\0';
        }
        at += len;
    }
    return ST_OK;
}

static enum status read_additional_section(struct reading *r)
{
    bool seen = false;
    for (int i = 0; i < ns_msg_count(r->msg, ns_s_ar); i++) {
        ns_rr rr;
        if (ns_parserr(&r->msg, ns_s_ar, i, &rr) < 0) {
            return ST_PROTO;
        }
        struct dns_place place = place_of(r, &rr);
        if (place.type != TYPE_OPT) {
            continue;
        }
        /* RFC 6891 6.1.1: one, and owned by the root. */
        if (seen || rr.name[0] != '\0') {
            return ST_PROTO;
        }
        seen = true;
        r->answer->rcode |= (int)(place.ttl >> 24) << 4;
        enum status st = read_options(r->answer, place.rdata, place.rdata_end);
        if (st != ST_OK) {
            return st;
        }
    }
    return ST_OK;
}

/* Walks the CNAMEs from the asked name until a name that has records of the asked type, or none. */
static enum status follow_cnames(struct reading *r)
{
    struct dns_answer *answer = r->answer;
    for (;;) {
        size_t link = r->place_count;
        for (size_t i = 0; i < r->place_count; i++) {
            if (!dns_name_equal(r->places[i].owner, answer->final_name)) {
                continue;
            }
            if (r->places[i].type == r->type) {
                return ST_OK;
            }
            if (link == r->place_count) {
                link = i;
            }
        }
        if (link == r->place_count) {
            return ST_OK;
        }
        if (r->followed[link] || answer->cnames == DNS_CNAME_MAX) {
            r->loop = true;
            return ST_OK;
        }
        struct dns_record record;
        enum status st = dns_record_read(&record, &r->places[link]);
        if (st != ST_OK) {
            return st;
        }
        r->followed[link] = true;
        answer->cnames++;
        str_copy(answer->final_name, sizeof(answer->final_name), record.u.name);
        dns_record_free(&record);
    }
}

static bool place_wanted(const struct reading *r, const struct dns_place *place)
{
    return place->type == r->type && dns_name_equal(place->owner, r->answer->final_name);
}

static enum status keep_records(struct reading *r)
{
    struct dns_answer *answer = r->answer;
    size_t total = 0;
    for (size_t i = 0; i < r->place_count; i++) {
        total += place_wanted(r, &r->places[i]);
    }
    if (total == 0) {
        return ST_OK;
    }
    size_t kept = total < DNS_RECORDS_MAX ? total : DNS_RECORDS_MAX;
    answer->records = calloc(kept, sizeof(*answer->records));
    if (answer->records == NULL) {
        return ST_NOMEM;
    }
    for (size_t i = 0; i < r->place_count && answer->count < kept; i++) {
        if (place_wanted(r, &r->places[i])) {
            enum status st = dns_record_read(&answer->records[answer->count], &r->places[i]);
            if (st != ST_OK) {
                return st;
            }
            answer->count++;
        }
    }
    answer->dropped = total - kept;
    return ST_OK;
}

static enum status read_message(struct reading *r)
{
    if (ns_msg_count(r->msg, ns_s_qd) > 0) {
        ns_rr question;
        if (ns_parserr(&r->msg, ns_s_qd, 0, &question) < 0) {
            return ST_PROTO;
        }
        r->class = (uint16_t)ns_rr_class(question);
    }
    enum status st = read_answer_section(r);
    if (st == ST_OK) {
        st = read_authority_section(r);
    }
    if (st == ST_OK) {
        st = read_additional_section(r);
    }
    if (st == ST_OK) {
        st = follow_cnames(r);
    }
    if (st == ST_OK && !r->loop) {
        st = keep_records(r);
    }
    return st;
}

/*
 * RFC 2308 2.2: NS records without a SOA are a referral. A server that offers recursion would have
 * followed it itself, so from such a server it is an empty answer with a badly chosen authority.
 */
static bool is_referral(const struct reading *r, unsigned flags)
{
    return r->has_ns && r->answer->authority == NULL && !(flags & FLAG_RA) &&
           (!(flags & FLAG_AA) || r->answer->cnames > 0);
}

static enum dns_result judge(const struct reading *r, unsigned flags)
{
    struct dns_answer *answer = r->answer;
    switch (answer->rcode) {
    case ns_r_servfail:
        return DNS_SERVFAIL;
    case ns_r_refused:
        return DNS_REFUSED;
    case ns_r_nxdomain:
        return r->loop ? DNS_CNAME_LOOP : DNS_NXDOMAIN;
    case ns_r_noerror:
        break;
    default:
        return DNS_OTHER_RCODE;
    }
    if (r->loop) {
        return DNS_CNAME_LOOP;
    }
    if (answer->count > 0) {
        return DNS_ANSWER;
    }
    answer->referral = is_referral(r, flags);
    return answer->referral ? DNS_REFUSED : DNS_NODATA;
}

enum status dns_msg_parse(struct dns_answer *answer, const void *p, size_t len, const char *name,
                          uint16_t type)
{
    const uint8_t *msg = p;
    answer->result = DNS_MALFORMED;
    if (dns_name_canonical(name, answer->final_name) != ST_OK) {
        answer->result = DNS_BAD_NAME;
        return ST_OK;
    }
    if (len < DNS_HEADER_SIZE || len > DNS_MESSAGE_MAX || !(ns_get16(msg + 2) & FLAG_QR)) {
        return ST_OK;
    }
    /* The header tells something even when the rest cannot be read. */
    unsigned flags = ns_get16(msg + 2);
    answer->rcode = (int)RCODE(flags);
    answer->authoritative = flags & FLAG_AA;
    answer->truncated = flags & FLAG_TC;
    answer->authentic = flags & FLAG_AD;

    struct reading r;
    memset(&r, 0, sizeof(r));
    r.type = type;
    r.class = DNS_CLASS_IN;
    r.answer = answer;
    if (ns_initparse(msg, (int)len, &r.msg) < 0) {
        return ST_OK;
    }
    enum status st = read_message(&r);
    if (st == ST_OK) {
        answer->result = judge(&r, flags);
    } else {
        free_records(answer);
    }
    for (size_t i = 0; i < r.place_count; i++) {
        free(r.places[i].owner);
    }
    free(r.places);
    free(r.followed);
    return st == ST_NOMEM ? ST_NOMEM : ST_OK;
}
