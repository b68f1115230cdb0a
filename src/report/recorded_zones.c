#include <stdlib.h>
#include <string.h>

#include "recorded.h"

/* One line of a zone: owner and origin as examples, and what stands behind the owner. */
struct zone_line {
    char *origin, *owner, *text;
};

struct zones {
    struct zone_line *list;
    size_t count;
    /* Zones of their own: validation fails, or succeeds. */
    struct {
        char *origin;
        bool bogus;
    } marks[16];
    size_t mark_count;
};

static void zones_free(struct zones *z)
{
    for (size_t i = 0; i < z->count; i++) {
        free(z->list[i].origin);
        free(z->list[i].owner);
        free(z->list[i].text);
    }
    for (size_t i = 0; i < z->mark_count; i++) {
        free(z->marks[i].origin);
    }
    free(z->list);
}

static bool lies_in(const char *name, const char *zone)
{
    size_t n = strlen(name);
    size_t z = strlen(zone);
    return n >= z && str_equal_nocase(name + n - z, zone) && (n == z || name[n - z - 1] == '.');
}

/* The last two labels; escapes hide dots. */
static const char *last_labels(const char *name)
{
    const char *starts[2] = {name, name};
    for (const char *p = name; *p != '\0'; p++) {
        if (*p == '\\' && p[1] != '\0') {
            p++;
        } else if (*p == '.' && p[1] != '\0') {
            starts[0] = starts[1];
            starts[1] = p + 1;
        }
    }
    return starts[0];
}

static const char *origin_of(const struct zones *z, const char *name)
{
    const char *best = NULL;
    for (size_t i = 0; i < z->mark_count; i++) {
        const char *origin = z->marks[i].origin;
        if (lies_in(name, origin) && (best == NULL || strlen(origin) > strlen(best))) {
            best = origin;
        }
    }
    return best != NULL ? best : last_labels(name);
}

static void mark_zone(struct recorded *x, struct zones *z, const char *name, bool bogus)
{
    struct buf example;
    buf_init(&example, 4 * DNS_NAME_MAX);
    recorded_keep(x, recorded_add_name(x, name, &example));
    const char *origin = bogus ? buf_str(&example) : last_labels(buf_str(&example));
    for (size_t i = 0; i < z->mark_count; i++) {
        if (str_equal_nocase(z->marks[i].origin, origin)) {
            buf_free(&example);
            return;
        }
    }
    if (z->mark_count < ARRAY_LEN(z->marks)) {
        z->marks[z->mark_count].bogus = bogus;
        z->marks[z->mark_count].origin = str_dup(origin);
        recorded_keep(x, z->marks[z->mark_count].origin != NULL ? ST_OK : ST_NOMEM);
        z->mark_count += z->marks[z->mark_count].origin != NULL ? 1 : 0;
    }
    buf_free(&example);
}

/* `name` as it came; `text` is taken as it is. Says nothing twice. */
static void add_line(struct recorded *x, struct zones *z, const char *name, const char *text)
{
    struct buf owner;
    struct zone_line line = {NULL, NULL, NULL};
    buf_init(&owner, 4 * DNS_NAME_MAX);
    recorded_keep(x, recorded_add_name(x, name, &owner));
    for (size_t i = 0; i < z->count; i++) {
        if (str_equal_nocase(z->list[i].owner, buf_str(&owner)) &&
            strcmp(z->list[i].text, text) == 0) {
            goto out;
        }
    }
    if (x->st != ST_OK || z->count == RECORDED_LIST_MAX) {
        goto out;
    }
    struct zone_line *grown = realloc(z->list, (z->count + 1) * sizeof(*grown));
    if (grown == NULL) {
        x->st = ST_NOMEM;
        goto out;
    }
    z->list = grown;
    line = (struct zone_line){str_dup(origin_of(z, buf_str(&owner))), str_dup(buf_str(&owner)),
                              str_dup(text)};
    z->list[z->count++] = line;
    if (line.origin == NULL || line.owner == NULL || line.text == NULL) {
        x->st = ST_NOMEM;
    }
out:
    buf_free(&owner);
}

static const char *fault_word(enum dns_result result)
{
    switch (result) {
    case DNS_NODATA:
        return "nodata";
    case DNS_NXDOMAIN:
        return "nxdomain";
    case DNS_SERVFAIL:
        return "servfail";
    case DNS_REFUSED:
        return "refused";
    case DNS_TIMEOUT:
    case DNS_UNREACHABLE:
        return "timeout";
    case DNS_MALFORMED:
    case DNS_OTHER_RCODE:
        return "malformed";
    default:
        return NULL;
    }
}

static enum status add_address_text(struct recorded *x, const char *text, struct buf *out)
{
    struct net_address a, example;
    char shown[NET_ADDRESS_TEXT];
    if (!net_address_parse(text, &a)) {
        return ST_INVALID;
    }
    enum status st = share_safe_address(x->share, &a, &example);
    net_address_format(&example, shown, sizeof(shown));
    return st == ST_OK ? buf_add_str(out, shown) : st;
}

/*
 * Equal preferences are tried in random order (RFC 5321 5.1). What was met rests on the order that
 * it was, so `rank` is added where hosts have the same one.
 */
static enum status add_mx_text(struct recorded *x, const char *text, unsigned rank, struct buf *out)
{
    char *end = NULL;
    unsigned long preference = strtoul(text, &end, 10);
    if (end == text || *end != ' ') {
        return ST_INVALID;
    }
    preference = preference + rank < UINT16_MAX ? preference + rank : UINT16_MAX;
    enum status st = buf_addf(out, "%lu ", preference);
    const char *host = end + 1;
    if (st == ST_OK && strcmp(host, ".") == 0) {
        return buf_add_char(out, '.');
    }
    st = st == ST_OK ? recorded_add_name(x, host, out) : st;
    /* A single label would be taken for one below the zone. */
    return st == ST_OK && strchr(buf_str(out), '.') == NULL ? buf_add_char(out, '.') : st;
}

/* Strings of a TXT record are joined; they are one text. */
static enum status add_text_text(struct recorded *x, const char *text, struct buf *out)
{
    struct buf example;
    buf_init(&example, SHARE_TEXT_MAX);
    enum status st = share_safe_text(x->share, text, strlen(text), 0, &example);
    st = st == ST_OK ? buf_add_char(out, '"') : st;
    for (size_t i = 0; st == ST_OK && i < example.len; i++) {
        /* No placeholders here, so that a brace is one. */
        st = example.p[i] == '{' ? buf_add_char(out, '{') : recorded_escape(out, example.p + i, 1);
    }
    buf_free(&example);
    return st == ST_OK ? buf_add_char(out, '"') : st;
}

/* What stands behind the owner. ST_INVALID: this kind of record is of no use here. */
static enum status add_data(struct recorded *x, const struct dns_facts *f, size_t index,
                            unsigned rank, struct buf *out)
{
    char type[16];
    dns_type_name(f->type, type, sizeof(type));
    enum status st = buf_addf(out, "%s ", type);
    if (st != ST_OK) {
        return st;
    }
    struct buf data;
    buf_init(&data, RECORDED_LINE_MAX);
    switch (f->type) {
    case DNS_A:
    case DNS_AAAA:
        st = add_address_text(x, f->records[index], &data);
        break;
    case DNS_MX:
        st = add_mx_text(x, f->records[index], rank, &data);
        break;
    case DNS_PTR:
    case DNS_NS:
    case DNS_CNAME:
        st = recorded_add_name(x, f->records[index], &data);
        break;
    case DNS_TXT:
        st = add_text_text(x, f->records[index], &data);
        break;
    default:
        st = ST_INVALID;
        break;
    }
    st = st == ST_OK ? buf_add(out, buf_str(&data), data.len) : st;
    buf_free(&data);
    return st;
}

/* When the host was looked up, counted from the first; hosts that were not come last. */
static unsigned asked_at(const struct recorded *x, const char *host)
{
    for (size_t i = 0; i < x->r->answer_count; i++) {
        const struct record_answer *a = &x->r->answers[i];
        if (a->check == CHECK_DNS_ADDRESS && dns_name_equal(a->f.name, host)) {
            return (unsigned)i;
        }
    }
    return UINT32_MAX;
}

static const char *mx_host(const char *text)
{
    const char *blank = strchr(text, ' ');
    return blank != NULL ? blank + 1 : text;
}

/* How many records of the same preference were tried before this one. */
static unsigned mx_rank(const struct recorded *x, const struct dns_facts *f, size_t index)
{
    unsigned rank = 0;
    unsigned mine = asked_at(x, mx_host(f->records[index]));
    long preference = strtol(f->records[index], NULL, 10);
    for (size_t i = 0; i < f->count; i++) {
        unsigned other = asked_at(x, mx_host(f->records[i]));
        bool before = other < mine || (other == mine && i < index);
        if (i != index && strtol(f->records[i], NULL, 10) == preference && before) {
            rank++;
        }
    }
    return rank;
}

static void add_answer(struct recorded *x, struct zones *z, const struct dns_facts *f)
{
    const char *owner = f->alias != NULL ? f->alias : f->name;
    for (size_t i = 0; x->st == ST_OK && i < f->count; i++) {
        struct buf text;
        buf_init(&text, RECORDED_LINE_MAX);
        unsigned rank = f->type == DNS_MX ? mx_rank(x, f, i) : 0;
        enum status st = add_data(x, f, i, rank, &text);
        if (st == ST_OK) {
            add_line(x, z, owner, buf_str(&text));
        } else if (st != ST_INVALID && st != ST_LIMIT) {
            x->st = st;
        }
        buf_free(&text);
    }
    /* So many more came that the list of the report could not hold them. */
    for (size_t i = 0; f->type == DNS_MX && i < f->dropped && i < DNS_FACTS_RECORDS_MAX; i++) {
        struct buf text;
        buf_init(&text, 128);
        recorded_keep(x, buf_addf(&text, "MX 65535 more%zu.example.org", i + 1));
        add_line(x, z, owner, buf_str(&text));
        buf_free(&text);
    }
}

static void add_alias(struct recorded *x, struct zones *z, const char *name, const char *target)
{
    struct buf text;
    buf_init(&text, RECORDED_LINE_MAX);
    recorded_keep(x, buf_add_str(&text, "CNAME "));
    recorded_keep(x, recorded_add_name(x, target, &text));
    add_line(x, z, name, buf_str(&text));
    buf_free(&text);
}

static void add_fault(struct recorded *x, struct zones *z, const struct dns_facts *f,
                      const char *word)
{
    struct buf text;
    char type[16];
    dns_type_name(f->type, type, sizeof(type));
    buf_init(&text, 64);
    recorded_keep(x, buf_addf(&text, "%s %s", type, word));
    add_line(x, z, f->alias != NULL ? f->alias : f->name, buf_str(&text));
    buf_free(&text);
}

/* A pointer record stands in its host's block, or in ours. */
static bool is_in_a_block(const struct recorded *x, const struct dns_facts *f)
{
    char reverse[DNS_NAME_MAX];
    if (f->type != DNS_PTR) {
        return false;
    }
    dns_reverse_name(&x->own, reverse, sizeof(reverse));
    if (x->own.family != 0 && dns_name_equal(f->name, reverse)) {
        bool local =
            x->nat || net_address_same_host(&x->own, &x->local[x->own.family == 4 ? 0 : 1]);
        return local && f->result != DNS_MALFORMED;
    }
    for (size_t i = 0; i < x->host_count; i++) {
        dns_reverse_name(&x->hosts[i].address, reverse, sizeof(reverse));
        if (dns_name_equal(f->name, reverse)) {
            return true;
        }
    }
    return false;
}

/* The same question without checking was answered: only validation fails there. */
static const struct dns_facts *unchecked(const struct recorded *x, const struct dns_facts *f)
{
    for (size_t i = 0; f->result == DNS_SERVFAIL && i < x->r->answer_count; i++) {
        const struct dns_facts *other = &x->r->answers[i].f;
        bool settled = other->result == DNS_ANSWER || other->result == DNS_NODATA ||
                       other->result == DNS_NXDOMAIN;
        if (other->checking_disabled && settled && other->type == f->type &&
            dns_name_equal(other->name, f->name)) {
            return other;
        }
    }
    return NULL;
}

/* A name that has another record has none of this type by itself. */
static bool has_other_record(const struct recorded *x, const struct dns_facts *f)
{
    const char *owner = f->alias != NULL ? f->alias : f->name;
    for (size_t i = 0; i < x->r->answer_count; i++) {
        const struct dns_facts *other = &x->r->answers[i].f;
        if (other->result == DNS_ANSWER && other->type != f->type &&
            dns_name_equal(other->alias != NULL ? other->alias : other->name, owner)) {
            return true;
        }
    }
    return false;
}

static void add_question(struct recorded *x, struct zones *z, const struct dns_facts *f)
{
    const struct dns_facts *other = unchecked(x, f);
    const char *word = fault_word(f->result);
    f = other != NULL ? other : f;
    word = other != NULL ? fault_word(f->result) : word;
    if (f->alias != NULL && f->result != DNS_CNAME_LOOP && !dns_name_equal(f->alias, f->name)) {
        add_alias(x, z, f->name, f->alias);
    }
    if (f->result == DNS_ANSWER) {
        add_answer(x, z, f);
    } else if (f->result == DNS_CNAME_LOOP) {
        add_alias(x, z, f->name, "loop.example.org");
        add_alias(x, z, "loop.example.org", f->name);
    } else if (word != NULL && f->type != 0 &&
               !(f->result == DNS_NODATA && has_other_record(x, f))) {
        add_fault(x, z, f, word);
    }
}

static void mark_zones(struct recorded *x, struct zones *z)
{
    for (size_t i = 0; i < x->r->answer_count; i++) {
        const struct dns_facts *f = &x->r->answers[i].f;
        if (unchecked(x, f) != NULL) {
            mark_zone(x, z, f->name, true);
        } else if (f->authentic) {
            mark_zone(x, z, f->name, false);
        }
    }
}

static void put_zone(struct recorded *x, const struct zones *z, const char *origin)
{
    const char *mark = "";
    size_t width = 0;
    for (size_t i = 0; i < z->mark_count; i++) {
        if (str_equal_nocase(z->marks[i].origin, origin)) {
            mark = z->marks[i].bogus ? " bogus" : " signed";
        }
    }
    recorded_put(x, "\nzone %s%s\n", origin, mark);
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < z->count; i++) {
            const struct zone_line *line = &z->list[i];
            if (!str_equal_nocase(line->origin, origin)) {
                continue;
            }
            size_t n = strlen(line->owner) - strlen(origin);
            n = n > 0 ? n - 1 : 1;
            if (pass == 0) {
                width = n > width && n <= 24 ? n : width;
            } else if (str_equal_nocase(line->owner, origin)) {
                recorded_put(x, "    %-*s %s\n", (int)width, "@", line->text);
            } else {
                recorded_put(x, "    %-*.*s %s\n", (int)width, (int)n, line->owner, line->text);
            }
        }
    }
}

void recorded_put_zones(struct recorded *x)
{
    struct zones z = {.count = 0};
    mark_zones(x, &z);
    for (size_t i = 0; x->st == ST_OK && !x->silent_resolver && i < x->r->answer_count; i++) {
        const struct dns_facts *f = &x->r->answers[i].f;
        bool last = f == recorded_answer(x, f->name, f->type);
        if (last && !is_in_a_block(x, f) && (!recorded_is_made(x, f) || f->alias != NULL)) {
            if (recorded_is_made(x, f)) {
                add_alias(x, &z, f->name, f->alias);
            } else {
                add_question(x, &z, f);
            }
        }
    }
    for (size_t i = 0; i < z.count; i++) {
        bool first = true;
        for (size_t k = 0; k < i; k++) {
            first = first && !str_equal_nocase(z.list[k].origin, z.list[i].origin);
        }
        if (first && x->st == ST_OK) {
            put_zone(x, &z, z.list[i].origin);
        }
    }
    zones_free(&z);
}
