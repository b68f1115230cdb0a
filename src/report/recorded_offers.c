#include <stdlib.h>
#include <string.h>

#include "recorded.h"

#define OFFERS_MAX 100 /* of one reply; longer ones are told by a rule */
#define HEAD 4         /* "250-" */

struct offer {
    const char *text;
    size_t len;
};

struct offers {
    struct offer list[OFFERS_MAX];
    size_t count;
};

/* The lines behind the first, without their codes. False: not the reply of RFC 5321 4.1.1.1. */
static bool read_offers(const struct recorded *x, const struct talk_turn *turn, struct offers *out)
{
    struct line line;
    uint32_t n = 0;
    bool regular = turn->complete && turn->end == TALK_GOES_ON;
    bool over = false;
    out->count = 0;
    for (size_t i = 0; talk_line(x->r, turn, n, &line); i++) {
        bool final;
        bool good = talk_code(&line, &final) == 250 && line.len > HEAD &&
                    line.text[3] == (final ? ' ' : '-') && line.len < 512;
        regular = regular && good && !over && out->count < OFFERS_MAX;
        over = final;
        n = line.number;
        if (i > 0 && line.len > HEAD && out->count < OFFERS_MAX) {
            out->list[out->count++] = (struct offer){line.text + HEAD, line.len - HEAD};
        }
        if (i >= 4 * OFFERS_MAX) {
            return false;
        }
    }
    return regular;
}

static bool same(const struct offer *a, const struct offer *b)
{
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static bool is_starttls(const struct offer *o)
{
    struct span s = {o->text, o->len};
    return span_equal_nocase(s, "STARTTLS");
}

static bool has(const struct offers *list, const struct offer *o)
{
    for (size_t i = 0; i < list->count; i++) {
        if (same(&list->list[i], o)) {
            return true;
        }
    }
    return false;
}

void recorded_find_offers(const struct recorded *x, const struct recorded_server *server,
                          struct recorded_offers *o)
{
    const struct talk_turn *turn;
    struct offers list;
    size_t talk = 0, at = 0;
    bool knows_starttls = false;
    o->model[0] = o->model[1] = NULL;
    while ((turn = recorded_next_turn(x, server, &talk, &at)) != NULL) {
        const struct talk_turn **slot = &o->model[turn->tls ? 1 : 0];
        if (!talk_is_hello(turn) || turn->code != 250 || !read_offers(x, turn, &list)) {
            continue;
        }
        bool starttls = false;
        for (size_t i = 0; i < list.count; i++) {
            starttls = starttls || is_starttls(&list.list[i]);
        }
        /* A server that offers it now and then has to know it. Under TLS none of the practice
           network offers it again. */
        bool better = starttls && !knows_starttls;
        if (turn->tls ? *slot == NULL && !starttls : *slot == NULL || better) {
            *slot = turn;
            knows_starttls = knows_starttls || starttls;
        }
    }
}

static bool same_first_line(const struct recorded *x, const struct talk_turn *a,
                            const struct talk_turn *b)
{
    struct line first, second;
    return talk_line(x->r, a, 0, &first) && talk_line(x->r, b, 0, &second) &&
           first.len == second.len && first.len > HEAD &&
           memcmp(first.text + HEAD, second.text + HEAD, first.len - HEAD) == 0;
}

bool recorded_is_offered(const struct recorded *x, const struct recorded_offers *o,
                         const struct talk_turn *turn)
{
    const struct talk_turn *model = o->model[turn->tls ? 1 : 0];
    const struct talk_turn *first = o->model[0] != NULL ? o->model[0] : o->model[1];
    struct offers mine, theirs;
    if (model == NULL || !talk_is_hello(turn) || !read_offers(x, turn, &mine) ||
        !read_offers(x, model, &theirs) || mine.count != theirs.count ||
        !same_first_line(x, turn, first)) {
        return false;
    }
    for (size_t i = 0; i < mine.count; i++) {
        if (!same(&mine.list[i], &theirs.list[i])) {
            return false;
        }
    }
    return true;
}

static void put_hello(struct recorded *x, const struct recorded_server *server,
                      const struct talk_turn *turn)
{
    struct line line;
    struct buf text;
    const char *host = server->host->name;
    if (!talk_line(x->r, turn, 0, &line) || line.len <= HEAD) {
        return;
    }
    struct span name = {line.text + HEAD, line.len - HEAD};
    if (host != NULL && span_equal_nocase(name, host)) {
        return;
    }
    buf_init(&text, RECORDED_LINE_MAX);
    /* With its code, or the digits of an address would be taken for one. */
    recorded_keep(x, recorded_line(x, turn, line.text, line.len, 0, &text));
    recorded_put(x, "    hello \"%s\"\n", text.len > HEAD ? buf_str(&text) + HEAD : "");
    buf_free(&text);
}

/* Words that need no marks: each is read as it stands. */
static bool is_plain(const char *p, size_t len)
{
    bool blank = true;
    for (size_t i = 0; i < len; i++) {
        bool again = blank && p[i] == ' ';
        blank = p[i] == ' ';
        bool good = (p[i] >= '0' && p[i] <= '9') || (p[i] >= 'A' && p[i] <= 'Z') ||
                    (p[i] >= 'a' && p[i] <= 'z') ||
                    (p[i] != '\0' && strchr(" =-+._/", p[i]) != NULL);
        if (!good || again) {
            return false;
        }
    }
    return !blank;
}

static void put_offer(struct recorded *x, const char *word, const struct offer *o)
{
    struct buf example, text;
    buf_init(&example, SHARE_TEXT_MAX);
    buf_init(&text, RECORDED_LINE_MAX);
    recorded_keep(x, share_safe_text(x->share, o->text, o->len, SHARE_KEYWORDS, &example));
    if (is_plain(buf_str(&example), example.len)) {
        recorded_put(x, "    %s %s\n", word, buf_str(&example));
    } else {
        recorded_keep(x, recorded_quote(&text, buf_str(&example), example.len));
        recorded_put(x, "    %s %s\n", word, buf_str(&text));
    }
    buf_free(&example);
    buf_free(&text);
}

/* In the order in which they were offered, those that only TLS shows between the others. */
static void put_both(struct recorded *x, const struct offers *clear, const struct offers *tls)
{
    size_t at = 0;
    for (size_t i = 0; i < clear->count; i++) {
        const struct offer *o = &clear->list[i];
        bool common = has(tls, o);
        for (; common && at < tls->count && !same(&tls->list[at], o); at++) {
            if (!has(clear, &tls->list[at])) {
                put_offer(x, "offer-tls", &tls->list[at]);
            }
        }
        put_offer(x, common || is_starttls(o) ? "offer" : "offer-clear", o);
    }
    for (; at < tls->count; at++) {
        if (!has(clear, &tls->list[at])) {
            put_offer(x, "offer-tls", &tls->list[at]);
        }
    }
}

/* Keywords without which the server would not know a command or a parameter. */
static bool is_needed(const struct offer *o)
{
    static const char *const words[] = {"AUTH", "STARTTLS", "SIZE",       "CHUNKING",   "8BITMIME",
                                        "DSN",  "SMTPUTF8", "BINARYMIME", "PIPELINING", "XCLIENT"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        size_t n = strlen(words[i]);
        struct span head = {o->text, n};
        if (o->len >= n && span_equal_nocase(head, words[i]) &&
            (o->len == n || o->text[n] == ' ')) {
            return true;
        }
    }
    return false;
}

static void keep_needed(struct offers *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (is_needed(&list->list[i])) {
            list->list[kept++] = list->list[i];
        }
    }
    list->count = kept;
}

/* A reply that is not as it should be still tells what the server knows, for the commands behind
 * it. */
static bool read_any_offers(const struct recorded *x, const struct recorded_server *server,
                            const struct recorded_offers *o, bool under_tls, struct offers *out)
{
    const struct talk_turn *turn = o->model[under_tls ? 1 : 0];
    size_t talk = 0, at = 0;
    if (turn != NULL) {
        return read_offers(x, turn, out);
    }
    while ((turn = recorded_next_turn(x, server, &talk, &at)) != NULL) {
        if (talk_is_hello(turn) && turn->tls == under_tls && turn->code / 100 == 2) {
            (void)read_offers(x, turn, out);
            keep_needed(out);
            return out->count > 0;
        }
    }
    return false;
}

void recorded_put_offers(struct recorded *x, const struct recorded_server *server,
                         const struct recorded_offers *o)
{
    struct offers clear = {.count = 0};
    struct offers tls = {.count = 0};
    const struct talk_turn *first = o->model[0] != NULL ? o->model[0] : o->model[1];
    bool in_clear = read_any_offers(x, server, o, false, &clear);
    bool under_tls = read_any_offers(x, server, o, true, &tls);
    if (first != NULL) {
        put_hello(x, server, first);
    }
    if (in_clear && under_tls) {
        put_both(x, &clear, &tls);
    } else {
        const struct offers *known = in_clear ? &clear : &tls;
        for (size_t i = 0; i < known->count; i++) {
            put_offer(x, "offer", &known->list[i]);
        }
    }
    if (first != NULL && clear.count + tls.count == 0) {
        recorded_put(x, "    withhold all\n");
    }
}
