#include "feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "secret.h"
#include "smtp_verb.h"
#include "text.h"

#define ITEMS_STEP 64

void feed_init(struct feed *f)
{
    memset(f, 0, sizeof(*f));
}

static void piece_free(char *p, size_t len)
{
    if (p != NULL) {
        secret_wipe(p, len);
        free(p);
    }
}

void feed_clear(struct feed *f)
{
    for (size_t i = 0; i < f->count; i++) {
        piece_free(f->items[i].text, f->items[i].len);
        piece_free(f->items[i].data, f->items[i].data_len);
    }
    free(f->items);
    feed_init(f);
}

static enum status reserve(struct feed *f)
{
    if (f->count < f->cap) {
        return ST_OK;
    }
    if (f->count >= FEED_ITEMS_MAX) {
        return ST_LIMIT;
    }
    size_t cap = f->cap * 2 + ITEMS_STEP;
    struct feed_item *items = realloc(f->items, cap * sizeof(*items));
    if (items == NULL) {
        return ST_NOMEM;
    }
    f->items = items;
    f->cap = cap;
    return ST_OK;
}

enum status feed_add(struct feed *f, enum feed_kind kind, unsigned flags, const char *text,
                     size_t len)
{
    enum status st = reserve(f);
    char *copy = st == ST_OK ? str_ndup(text, len) : NULL;
    if (copy == NULL) {
        return st == ST_OK ? ST_NOMEM : st;
    }
    f->items[f->count++] =
        (struct feed_item){.kind = kind, .flags = flags, .text = copy, .len = len};
    return ST_OK;
}

enum status feed_add_chunk(struct feed *f, const char *text, size_t len, const char *data,
                           size_t data_len)
{
    enum status st = feed_add(f, FEED_CHUNK, 0, text, len);
    if (st != ST_OK) {
        return st;
    }
    struct feed_item *item = &f->items[f->count - 1];
    item->data = str_ndup(data, data_len);
    item->data_len = item->data != NULL ? data_len : 0;
    return item->data != NULL ? ST_OK : ST_NOMEM;
}

void feed_start(struct feed *f)
{
    f->state = f->count > 0 ? FEED_RUNNING : FEED_DONE;
    f->end = FEED_DONE;
}

bool feed_running(const struct feed *f)
{
    return f->state == FEED_RUNNING;
}

const struct feed_item *feed_due(const struct feed *f)
{
    bool due = feed_running(f) && !f->waiting && f->next < f->count;
    return due ? &f->items[f->next] : NULL;
}

/* A line of text, or octets of a BDAT: nothing answers it. */
static bool is_answered(struct feed *f, const struct feed_item *item)
{
    uint64_t octets = 0;
    bool last = false;
    if (item->kind == FEED_RAW || (item->flags & FEED_QUIET) != 0) {
        return false;
    }
    if (item->kind == FEED_CHUNK) {
        return true;
    }
    if (f->octets > 0) {
        uint64_t more = (uint64_t)item->len + 2;
        f->octets -= more < f->octets ? more : f->octets;
        return f->octets == 0;
    }
    if (f->in_text) {
        return item->len == 1 && item->text[0] == '.';
    }
    if (smtp_bdat_size(item->text, item->len, &octets, &last)) {
        f->octets = octets;
    }
    return f->octets == 0;
}

/* Goes past what is not due: before a stop what tidies up after one, after it all else. */
static void arrive(struct feed *f)
{
    bool stopped = f->end != FEED_DONE;
    while (f->next < f->count) {
        unsigned flags = f->items[f->next].flags;
        bool due = stopped ? (flags & (FEED_ALWAYS | FEED_TIDY)) != 0 : (flags & FEED_TIDY) == 0;
        if (due) {
            return;
        }
        f->next++;
    }
    if (feed_running(f) && !f->waiting) {
        f->state = f->end;
    }
}

void feed_sent(struct feed *f, uint32_t line)
{
    f->waiting = is_answered(f, &f->items[f->next]);
    f->since = line;
    f->next++;
    if (!f->waiting) {
        arrive(f);
    }
}

static bool answered(struct feed *f, int code)
{
    const struct feed_item *item = &f->items[f->next - 1];
    bool stopped = f->end != FEED_DONE;
    int digit = code / 100;
    bool good = (item->flags & FEED_ANY) != 0 ? code != 421 : digit == 2 || digit == 3;
    if ((item->flags & FEED_ANY) != 0) {
        f->asked++;
        f->taken += digit == 2 ? 1 : 0;
    }
    f->waiting = false;
    f->code = stopped ? f->code : code; /* what tidies up is answered, and nobody asks how */
    f->in_text = digit == 3 && code != 334;
    if (!good && !stopped) {
        f->stopped_at = f->next - 1;
        f->end = FEED_REFUSED;
    }
    arrive(f);
    return true;
}

/* The code of a reply's last line; 0 for other lines. */
static int last_code(const struct event *e)
{
    const char *p = e->u.line.text;
    size_t len = e->u.line.len;
    for (size_t i = 0; i < 3; i++) {
        if (len < 3 || p[i] < '0' || p[i] > '9') {
            return 0;
        }
    }
    return len == 3 || p[3] != '-' ? (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0') : 0;
}

bool feed_event(struct feed *f, const struct event *e)
{
    if (!feed_running(f)) {
        return false;
    }
    if (e->kind == EVENT_SESSION && e->u.session.state == SMTP_CLOSED) {
        feed_stop(f, FEED_BROKEN);
        return true;
    }
    bool line = e->kind == EVENT_LINE && e->u.line.dir == DIR_SERVER && f->waiting;
    /* What answers nothing is marked, and belongs to nobody. */
    if (!line || e->u.line.number <= f->since || (e->u.line.flags & LINE_ODD) != 0) {
        return false;
    }
    int code = last_code(e);
    return code != 0 && answered(f, code);
}

void feed_stop(struct feed *f, enum feed_state why)
{
    if (feed_running(f)) {
        f->stopped_at = f->end == FEED_DONE && f->next > 0 ? f->next - 1 : f->stopped_at;
        f->state = why;
        /* The answer to QUIT need not come before the end. */
        if (why == FEED_BROKEN && f->next >= f->count && f->code / 100 == 2 && !f->waiting) {
            f->state = FEED_DONE;
        }
    }
}

/* Lines that were meant to be sent: without what would only have tidied up. */
static unsigned long lines_of(const struct feed *f, size_t from)
{
    unsigned long n = 0;
    for (size_t i = from; i < f->count; i++) {
        n += (f->items[i].flags & (FEED_TIDY | FEED_ALWAYS)) == 0 ? 1 : 0;
    }
    return n;
}

void feed_sentence(const struct feed *f, char *out, size_t size)
{
    size_t at = f->stopped_at + 1;
    unsigned long all = lines_of(f, 0);
    unsigned long left = at < f->count ? lines_of(f, at) : 0;
    char rest[120] = "";
    out[0] = '\0';
    if (left > 0) {
        (void)snprintf(rest, sizeof(rest),
                       Q_("%lu line was not sent.", "%lu lines were not sent.", left), left);
    }
    switch (f->state) {
    case FEED_REFUSED:
        (void)snprintf(out, size, _("Line %zu of %lu was answered with %d. %s"), at, all, f->code,
                       rest);
        break;
    case FEED_BROKEN:
        (void)snprintf(out, size, _("The connection ended at line %zu of %lu. %s"), at, all, rest);
        break;
    case FEED_STOPPED:
        (void)snprintf(out, size, _("Stopped at line %zu of %lu. %s"), at, all, rest);
        break;
    case FEED_DONE:
        (void)snprintf(out, size, Q_("%lu line was sent.", "%lu lines were sent.", all), all);
        break;
    default:
        break;
    }
}
