#include "typehint.h"

#include <string.h>

#include "base64.h"
#include "macro.h"
#include "sasl.h"
#include "typehint_verbs.h"

#define BLANKS " \t"
#define CHALLENGE_BACK 32 /* lines looked through for the 334, newest first */
#define PIECES_BACK 64    /* and for the pieces of a line that has no end yet */
#define PIECES_MAX (4 * (size_t)SMTP_RAW_MAX)

/* Who forgets the mechanism types the secret in its place, so a word behind AUTH is shown only as
   long as it can become the name of one. */
static bool may_be_mechanism(const struct record *r, const char *word, size_t len)
{
    static const char *const others[] = {"NTLM", "GSSAPI", "ANONYMOUS", "DIGEST-MD5"};
    char offered[MECHANISMS_MAX][MECHANISM_MAX + 1];
    char typed[MECHANISM_MAX + 1] = "";
    if (len > MECHANISM_MAX) {
        return false;
    }
    memcpy(typed, word, len);
    for (int m = MECH_NONE + 1; m < MECH_COUNT; m++) {
        if (typehint_starts(sasl_mech_name((enum sasl_mech)m), typed)) {
            return true;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (typehint_starts(others[i], typed)) {
            return true;
        }
    }
    size_t count = typehint_mechanisms(r, offered, MECHANISMS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (typehint_starts(offered[i], typed)) {
            return true;
        }
    }
    return false;
}

/* Behind "AUTH MECH " of a line that begins with it; the end of the line when nothing is secret. */
static size_t auth_secret_from(const struct record *r, const char *line)
{
    size_t len = strlen(line);
    size_t begin = strspn(line, BLANKS);
    size_t verb = strcspn(line + begin, BLANKS);
    if (!span_equal_nocase((struct span){line + begin, verb}, "AUTH")) {
        return len;
    }
    size_t at = begin + verb + strspn(line + begin + verb, BLANKS);
    size_t mech = strcspn(line + at, BLANKS);
    if (mech > 0 && !may_be_mechanism(r, line + at, mech)) {
        return at;
    }
    return at + mech + strspn(line + at + mech, BLANKS);
}

/* A line in the notation of raw_text.h may hold several: each "\n" begins another. */
static size_t raw_secret_from(const struct record *r, const char *line, size_t at)
{
    size_t len = strlen(line);
    while (at < len) {
        const char *end = strstr(line + at, "\\n");
        size_t next = end != NULL ? (size_t)(end - line) + 2 : len;
        size_t from = at + auth_secret_from(r, line + at);
        if (from < next) {
            return from;
        }
        at = next;
    }
    return len;
}

/* In the notation of raw_text.h: a literal backslash before the n is written twice. */
static bool ends_in_lf(const struct line *line)
{
    size_t slashes = 0;
    while (line->len > slashes + 1 && line->text[line->len - 2 - slashes] == '\\') {
        slashes++;
    }
    return line->len > 1 && line->text[line->len - 1] == 'n' && slashes % 2 == 1;
}

/*
 * The number of the first piece of a line that was sent in exact bytes and has no end yet; 0: the
 * next byte begins a line. *hidden: a piece is a secret, and with it all that follows.
 */
static uint32_t unfinished_line(const struct record *r, bool *hidden)
{
    uint32_t last = lines_last(r->lines);
    uint32_t stop = last > PIECES_BACK ? last - PIECES_BACK : 0;
    uint32_t first = 0;
    bool answered = false;
    *hidden = false;
    for (uint32_t n = last; n > stop && r->session != SMTP_CLOSED; n--) {
        struct line line;
        bool here = lines_get(r->lines, n, &line);
        answered = answered || (here && line.dir == DIR_SERVER);
        if (!here || line.dir != DIR_CLIENT) {
            continue;
        }
        /* What was hidden does not say whether it had an end; an answer does. */
        *hidden = *hidden || ((line.flags & LINE_MANUAL) != 0 &&
                              (line.flags & LINE_REDACTED) != 0 && !answered);
        if ((line.flags & LINE_RAW) == 0 || ends_in_lf(&line)) {
            break;
        }
        first = n;
    }
    return first;
}

/* raw_secret_from for the rest of a line of which pieces went out before. */
static size_t rest_secret_from(const struct record *r, const char *line, size_t at)
{
    struct buf whole;
    struct line piece;
    bool hidden = false;
    uint32_t first = unfinished_line(r, &hidden);
    if (hidden) {
        return at;
    }
    if (first == 0) {
        return raw_secret_from(r, line, at);
    }
    buf_init(&whole, PIECES_MAX);
    enum status st = ST_OK;
    for (uint32_t n = first; n != 0 && st == ST_OK; n = lines_next(r->lines, n)) {
        if (lines_get(r->lines, n, &piece) && piece.dir == DIR_CLIENT) {
            st = buf_add(&whole, piece.text, piece.len);
        }
    }
    size_t before = whole.len;
    if (st == ST_OK) {
        st = buf_add_str(&whole, line + at);
    }
    size_t from = st == ST_OK ? raw_secret_from(r, buf_str(&whole), 0) : 0;
    buf_wipe(&whole);
    return from > before ? at + from - before : at;
}

/* The number of the pending 334; 0 when there is none. */
static uint32_t challenge_line(const struct record *r, struct line *out)
{
    uint32_t last = lines_last(r->lines);
    uint32_t stop = last > CHALLENGE_BACK ? last - CHALLENGE_BACK : 0;
    for (uint32_t n = last; n > stop && r->session == SMTP_CONTINUATION; n--) {
        if (lines_get(r->lines, n, out) && out->dir == DIR_SERVER) {
            bool is = out->len >= 3 && memcmp(out->text, "334", 3) == 0;
            return is ? n : 0;
        }
    }
    return 0;
}

bool typehint_challenge(const struct record *r, struct buf *out)
{
    struct line line;
    if (challenge_line(r, &line) == 0 || line.len < 4) {
        return false;
    }
    return line.len == 4 || base64_decode(out, line.text + 4, line.len - 4) == ST_OK;
}

/* The first question of LOGIN, and only that: a server that asks twice for a name wants to see a
   password. */
static bool asks_user(const struct record *r)
{
    struct line line, before;
    uint32_t number = challenge_line(r, &line);
    if (number < 2 || !lines_get(r->lines, number - 1, &before) || before.dir != DIR_CLIENT) {
        return false;
    }
    struct span typed = {before.text, before.len};
    struct buf decoded;
    buf_init(&decoded, LINE_SHOWN_MAX);
    bool user = span_equal_nocase(typed, "AUTH LOGIN") && typehint_challenge(r, &decoded) &&
                typehint_starts(buf_str(&decoded), "user");
    buf_free(&decoded);
    return user;
}

/* While an answer is asked for, or may be at any moment. */
static size_t answer_secret_from(const struct record *r, unsigned mode, const char *line)
{
    const char *args = "";
    size_t len = strlen(line);
    enum macro_id macro = macro_find(line, &args);
    bool encoding = (mode & TYPEHINT_ENCODE) != 0;
    if (strcmp(line, "*") == 0 || (encoding && strcmp(line, ":b64") == 0)) {
        return len;
    }
    if (encoding) {
        return asks_user(r) ? len : 0; /* a password may begin with a colon */
    }
    if (macro == MACRO_B64) {
        return asks_user(r) ? len : (size_t)(args - line);
    }
    if (macro == MACRO_RAW) {
        return (size_t)(args - line);
    }
    bool begun = macro_is_one(line) && strchr(line, ' ') == NULL;
    return macro != MACRO_NONE || begun ? len : 0;
}

/* A word of its own that cannot become a command any more. */
static bool is_lone_word(const char *line)
{
    if (line[0] == '\0' || line[0] == '*' || line[strcspn(line, BLANKS)] != '\0') {
        return false;
    }
    for (size_t i = 0; i < typehint_verb_count; i++) {
        if (typehint_starts(typehint_verbs[i].name, line)) {
            return false;
        }
    }
    return typehint_verb(line) == NULL && !macro_is_one(line);
}

size_t typehint_secret_from(const struct record *r, unsigned mode, const char *line)
{
    const char *args = "";
    if (r->session == SMTP_CONTINUATION) {
        return answer_secret_from(r, mode, line);
    }
    /* Typed ahead of the 334 that AUTH will bring: it answers that. */
    if (r->waiting == WAIT_AUTH) {
        return 0;
    }
    if (r->expects_text) {
        return strlen(line);
    }
    if (r->login_open && is_lone_word(line)) {
        return 0;
    }
    enum macro_id macro = macro_find(line, &args);
    if (macro == MACRO_RAW) {
        return rest_secret_from(r, line, (size_t)(args - line));
    }
    if (macro == MACRO_AUTH) {
        size_t mech = strcspn(args, " ");
        return (size_t)(args - line) + mech + strspn(args + mech, " ");
    }
    if (macro == MACRO_B64) {
        return (size_t)(args - line);
    }
    /* A blank before the verb is wrong, and still no reason to show a password. */
    bool hidden;
    bool piece = unfinished_line(r, &hidden) != 0 || hidden;
    bool exact = (mode & TYPEHINT_RAW) != 0 || (piece && !macro_is_one(line));
    return exact ? rest_secret_from(r, line, 0) : auth_secret_from(r, line);
}

bool typehint_secret(const struct record *r, unsigned mode, const char *line)
{
    if (line[0] == '\0') {
        return r->session == SMTP_CONTINUATION || r->waiting == WAIT_AUTH;
    }
    return typehint_secret_from(r, mode, line) < strlen(line);
}
