#include "recorded_talk.h"

#include <stdlib.h>
#include <string.h>

#include "smtp_verb.h"

/* Where the reading of a conversation stands. */
struct reading {
    struct talk *t;
    const struct record *r;
    size_t open;       /* the first turn that is not answered yet */
    bool login;        /* the last reply asked for a response (334) */
    bool text;         /* message text goes out (354) */
    bool chunk;        /* octets behind BDAT go out */
    bool mail;         /* MAIL was accepted */
    unsigned accepted; /* recipients */
    int64_t last_us;   /* of the last line */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

int talk_code(const struct line *line, bool *final)
{
    const char *p = line->text;
    *final = false;
    if (line->len < 3 || !is_digit(p[0]) || !is_digit(p[1]) || !is_digit(p[2])) {
        return 0;
    }
    *final = line->len == 3 || p[3] != '-';
    return (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
}

static enum status add_turn(struct reading *x, enum talk_event event, const struct line *line)
{
    struct talk *t = x->t;
    if (t->count == TALK_TURNS_MAX) {
        return ST_LIMIT;
    }
    struct talk_turn *grown = realloc(t->turns, (t->count + 1) * sizeof(*grown));
    if (grown == NULL) {
        return ST_NOMEM;
    }
    t->turns = grown;
    struct talk_turn *turn = &t->turns[t->count++];
    *turn = (struct talk_turn){.event = event};
    if (line != NULL) {
        turn->tls = line->tls;
        turn->start_us = line->t_us;
        turn->command = line->number;
    }
    return ST_OK;
}

static void read_verb(struct talk_turn *turn, const struct line *line)
{
    size_t n = 0;
    while (n < line->len && n + 1 < sizeof(turn->verb)) {
        char c = line->text[n];
        if (c >= 'a' && c <= 'z') {
            c = (char)(c - ('a' - 'A'));
        }
        if (c < 'A' || c > 'Z') {
            break;
        }
        turn->verb[n++] = c;
    }
    turn->verb[n] = '\0';
    const char *blank = memchr(line->text, ' ', line->len);
    size_t at = blank != NULL ? (size_t)(blank - line->text) + 1 : line->len;
    turn->initial = at < line->len && memchr(line->text + at, ' ', line->len - at) != NULL;
}

/* The header of a proxy goes before the conversation, and nothing answers it. */
static int proxy_version(const struct line *line)
{
    static const char v1[] = "PROXY ";
    static const char v2[] = "\\r\\n\\r\\n\\0\\r\\nQUIT\\n"; /* as raw_text.h writes it */
    if ((line->flags & LINE_RAW) != 0) {
        return line->len > sizeof(v2) && memcmp(line->text, v2, sizeof(v2) - 1) == 0 ? 2 : 0;
    }
    return line->len >= sizeof(v1) && memcmp(line->text, v1, sizeof(v1) - 1) == 0 ? 1 : 0;
}

static void read_chunk(struct reading *x, struct talk_turn *turn, const struct line *line)
{
    uint64_t octets = 0;
    bool last = false;
    x->chunk = smtp_bdat_size(line->text, line->len, &octets, &last);
    turn->last_chunk = x->chunk && last;
}

static enum status client_line(struct reading *x, const struct line *line)
{
    bool dot = line->len == 1 && line->text[0] == '.';
    bool first = x->t->count == 1 && x->t->turns[0].first == 0;
    if (first && x->t->proxy == 0 && (x->t->proxy = proxy_version(line)) != 0) {
        return ST_OK;
    }
    if ((line->flags & LINE_BODY) != 0 && x->chunk) {
        return ST_OK; /* a dot ends nothing here */
    }
    x->chunk = false;
    if ((line->flags & LINE_BODY) != 0) {
        x->text = x->text && !dot;
        return dot ? add_turn(x, TALK_MESSAGE, line) : ST_OK;
    }
    x->text = false;
    if (x->login) {
        x->login = false;
        return add_turn(x, TALK_LOGIN, line);
    }
    enum status st = add_turn(x, TALK_COMMAND, line);
    if (st == ST_OK) {
        struct talk_turn *turn = &x->t->turns[x->t->count - 1];
        read_verb(turn, line);
        read_chunk(x, turn, line);
    }
    return st;
}

static bool is_verb(const struct talk_turn *turn, const char *verb)
{
    return turn->event == TALK_COMMAND && strcmp(turn->verb, verb) == 0;
}

bool talk_is_hello(const struct talk_turn *turn)
{
    return is_verb(turn, "EHLO") || is_verb(turn, "LHLO");
}

/* What the reply makes of the session. */
static void completed(struct reading *x, struct talk_turn *turn)
{
    bool good = turn->code / 100 == 2;
    turn->complete = true;
    if (is_verb(turn, "MAIL") && good) {
        x->mail = true;
        x->accepted = 0;
    } else if (is_verb(turn, "RCPT") && good) {
        x->accepted++;
    } else if (is_verb(turn, "DATA")) {
        turn->no_recipient = x->mail && x->accepted == 0;
        x->text = turn->code == 354;
    } else if (is_verb(turn, "RSET") || talk_is_hello(turn) || is_verb(turn, "HELO") ||
               is_verb(turn, "XCLIENT")) {
        x->mail = false;
    }
    x->login = turn->code == 334 && (is_verb(turn, "AUTH") || turn->event == TALK_LOGIN);
}

/* The turn that this line answers: the first one that waits; else it was said unasked, behind the
 * last. */
static enum status find_turn(struct reading *x, const struct line *line, struct talk_turn **out)
{
    enum status st = ST_OK;
    while (x->open < x->t->count && x->t->turns[x->open].complete) {
        x->open++;
    }
    if (x->open == x->t->count && x->text) {
        st = add_turn(x, TALK_TEXT, line);
        x->text = false;
    }
    *out = st == ST_OK ? &x->t->turns[x->open < x->t->count ? x->open : x->t->count - 1] : NULL;
    return st;
}

static enum status server_line(struct reading *x, const struct line *line)
{
    struct talk_turn *turn = NULL;
    bool final;
    enum status st = find_turn(x, line, &turn);
    if (st != ST_OK) {
        return st;
    }
    if (turn->first == 0) {
        int64_t due = turn->start_us + x->t->dial->f.elapsed_us;
        due = due > x->last_us ? due : x->last_us;
        turn->first = line->number;
        turn->delay_us = line->t_us > due ? line->t_us - due : 0;
        turn->tls = line->tls;
    }
    turn->last = line->number;
    int code = talk_code(line, &final);
    if (turn->complete) {
        return ST_OK;
    }
    turn->code = code != 0 ? code : turn->code;
    if (final) {
        completed(x, turn);
    }
    return ST_OK;
}

static enum talk_end end_of(enum status why)
{
    switch (why) {
    case ST_EOF:
    case ST_TLS:
        return TALK_CLOSED;
    case ST_RESET:
    case ST_IO:
        return TALK_RESET;
    case ST_TIMEOUT:
        return TALK_SILENT;
    case ST_LIMIT:
        return TALK_ENDLESS;
    case ST_CANCELLED:
        return TALK_STOPPED;
    default:
        return TALK_GOES_ON;
    }
}

/* Servers end by themselves after these. */
static bool says_goodbye(const struct talk_turn *turn)
{
    return turn->code == 421 || turn->code == 521 || is_verb(turn, "QUIT");
}

static void read_end(struct reading *x)
{
    struct talk *t = x->t;
    while (x->open < t->count && t->turns[x->open].complete) {
        x->open++;
    }
    enum talk_end end = t->dial->ended ? end_of(t->dial->why) : TALK_GOES_ON;
    bool waited = x->open < t->count;
    struct talk_turn *last = waited ? &t->turns[x->open] : &t->turns[t->count - 1];
    if (waited && t->dial->ended && t->dial->why == ST_OK) {
        end = TALK_STOPPED; /* who leaves politely leaves for a reason */
    }
    if (!says_goodbye(last)) {
        last->end = end;
    }
    /* Nobody knows what would have been said to the rest. */
    if (waited) {
        bool known = last->first != 0 || last->end != TALK_GOES_ON;
        t->count = x->open + (known ? 1 : 0);
    }
}

/* A line under TLS: the handshake behind the last STARTTLS was completed. */
static void note_tls(struct talk *t)
{
    for (size_t i = t->count; i-- > 0;) {
        if (is_verb(&t->turns[i], "STARTTLS")) {
            t->turns[i].secured = true;
            return;
        }
    }
}

/* The conversation's lines end where the next one begins. */
static uint32_t last_line(const struct record *r, size_t dial)
{
    uint32_t last = r->dials[dial].ended ? r->dials[dial].last_line : UINT32_MAX;
    for (size_t i = dial + 1; i < r->dial_count; i++) {
        if (r->dials[i].talked) {
            return r->dials[i].line < last ? r->dials[i].line : last;
        }
    }
    return last;
}

enum status talk_read(struct talk *t, const struct record *r, size_t dial)
{
    *t = (struct talk){.dial = &r->dials[dial]};
    struct reading x = {.t = t, .r = r, .last_us = t->dial->t_us};
    struct line line;
    uint32_t last = last_line(r, dial);
    enum status st = add_turn(&x, TALK_CONNECT, NULL);
    if (st == ST_OK) {
        t->turns[0].start_us = t->dial->t_us;
    }
    uint32_t n = t->dial->line;
    while (st == ST_OK && (n = lines_next(r->lines, n)) != 0 && n <= last &&
           lines_get(r->lines, n, &line)) {
        if ((line.flags & LINE_MANUAL) != 0) {
            break;
        }
        if (line.tls) {
            note_tls(t);
        }
        if (line.dir == DIR_CLIENT) {
            st = client_line(&x, &line);
        } else if (line.dir == DIR_SERVER) {
            st = server_line(&x, &line);
        }
        x.last_us = line.t_us;
    }
    st = st == ST_LIMIT ? ST_OK : st;
    if (st == ST_OK) {
        read_end(&x);
    } else {
        talk_free(t);
    }
    return st;
}

void talk_free(struct talk *t)
{
    free(t->turns);
    t->turns = NULL;
    t->count = 0;
}

bool talk_line(const struct record *r, const struct talk_turn *turn, uint32_t number,
               struct line *out)
{
    uint32_t n = number > 0 ? number : turn->first - 1;
    if (turn->first == 0) {
        return false;
    }
    while ((n = lines_next(r->lines, n)) != 0 && n <= turn->last && lines_get(r->lines, n, out)) {
        if (out->dir == DIR_SERVER) {
            return true;
        }
    }
    return false;
}
