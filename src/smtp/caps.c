#include "caps.h"

#include <string.h>

#include "text.h"

/* RFC 4422 3.1: 1 to 20 of these. */
#define MECH_LEN_MAX 20
/* A firewall overwrites a keyword and may leave its last letter ("XXXXXXXA" was STARTTLS). */
#define MASK_RUN_MIN 4

struct keyword {
    const char *word;
    enum cap_id id;
    const char *meaning;
};

static const struct keyword keywords[] = {
    {"STARTTLS", CAP_STARTTLS, N_("The connection can be switched to encryption.")},
    {"AUTH", CAP_AUTH, N_("Logging in is possible, by the mechanisms that are listed.")},
    {"SIZE", CAP_SIZE, N_("The largest message that is accepted, in bytes; 0 states no limit.")},
    {"PIPELINING", CAP_PIPELINING, N_("Several commands may be sent without waiting.")},
    {"8BITMIME", CAP_8BITMIME, N_("Message text may use all eight bits.")},
    {"CHUNKING", CAP_CHUNKING, N_("Messages may be sent in counted pieces (BDAT).")},
    {"BINARYMIME", CAP_BINARYMIME, N_("Messages may hold any bytes, sent with BDAT.")},
    {"DSN", CAP_DSN, N_("Delivery reports can be ordered for each recipient.")},
    {"SMTPUTF8", CAP_SMTPUTF8, N_("Addresses and headers may use letters beyond ASCII.")},
    {"ENHANCEDSTATUSCODES", CAP_ENHANCEDSTATUSCODES,
     N_("Replies carry a second, more exact code such as 5.7.1.")},
    {"VRFY", CAP_VRFY, N_("The server answers questions about single addresses.")},
    {"ETRN", CAP_ETRN, N_("A waiting queue can be started on request.")},
    {"HELP", CAP_HELP, N_("The server explains its commands.")},
    {"REQUIRETLS", CAP_REQUIRETLS, N_("A message can demand encryption on its whole way.")},
    {"DELIVERBY", CAP_DELIVERBY, N_("A time limit for the delivery can be set.")},
    {"FUTURERELEASE", CAP_FUTURERELEASE, N_("A message can be held back until a set time.")},
    {"MT-PRIORITY", CAP_MT_PRIORITY, N_("Messages may carry a priority.")},
    {"LIMITS", CAP_LIMITS, N_("The server states how much one session may do.")},
    {"XCLIENT", CAP_XCLIENT,
     N_("Trusted clients may tell the server which client it should see instead.")},
};

void caps_clear(struct caps *caps)
{
    memset(caps, 0, sizeof(*caps));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static char to_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (to_upper(c) >= 'A' && to_upper(c) <= 'Z');
}

/* Cuts the next word off the front of s. */
static struct span next_word(struct span *s)
{
    while (s->len > 0 && is_blank(s->p[0])) {
        s->p++;
        s->len--;
    }
    struct span word = {s->p, 0};
    while (word.len < s->len && !is_blank(s->p[word.len])) {
        word.len++;
    }
    s->p += word.len;
    s->len -= word.len;
    return word;
}

static void copy_span(char *dst, size_t size, struct span s)
{
    size_t n = s.len < size ? s.len : size - 1;
    if (n > 0) {
        memcpy(dst, s.p, n);
    }
    dst[n] = '\0';
}

static void read_greeting(struct caps *caps, struct span line)
{
    copy_span(caps->greeting_name, sizeof(caps->greeting_name), next_word(&line));
    while (line.len > 0 && is_blank(line.p[0])) {
        line.p++;
        line.len--;
    }
    copy_span(caps->greeting_text, sizeof(caps->greeting_text), line);
}

static bool looks_masked(struct span word)
{
    size_t run = 0;
    char c = word.len > 0 ? to_upper(word.p[0]) : '\0';
    if (c != 'X' && c != '*') {
        return false;
    }
    while (run < word.len && to_upper(word.p[run]) == c) {
        run++;
    }
    return run >= MASK_RUN_MIN && word.len - run <= 1;
}

/* RFC 5321 4.1.1.1: keyword of letters, digits and inner hyphens; parameters of 33..126. */
static bool syntax_is_bad(struct span keyword, struct span rest)
{
    bool bad = keyword.len == 0 || keyword.p[0] == '-';
    for (size_t i = 0; i < keyword.len; i++) {
        bad = bad || (!is_alnum(keyword.p[i]) && keyword.p[i] != '-');
    }
    for (size_t i = 0; i < rest.len; i++) {
        bad = bad || rest.p[i] < ' ' || rest.p[i] > '~';
    }
    return bad;
}

static bool add_mech(struct caps *caps, struct span word)
{
    char name[sizeof(caps->mechs[0])];
    if (word.len == 0 || word.len > MECH_LEN_MAX) {
        return false;
    }
    for (size_t i = 0; i < word.len; i++) {
        char c = to_upper(word.p[i]);
        if (!is_alnum(c) && c != '-' && c != '_') {
            return false;
        }
        name[i] = c;
    }
    name[word.len] = '\0';
    if (!caps_has_mech(caps, name) && caps->mech_count < CAPS_MECHS_MAX) {
        memcpy(caps->mechs[caps->mech_count++], name, word.len + 1);
    }
    return true;
}

static bool read_mechs(struct caps *caps, struct span rest)
{
    bool good = true;
    for (struct span word = next_word(&rest); word.len > 0; word = next_word(&rest)) {
        good = add_mech(caps, word) && good;
    }
    return good;
}

/* RFC 1870 4: 1*20 digits; none or 0 states no limit. The first SIZE counts. */
static bool read_size(struct caps *caps, struct span rest)
{
    struct span word = next_word(&rest);
    uint64_t size = 0;
    bool good = next_word(&rest).len == 0;
    for (size_t i = 0; i < word.len; i++) {
        if (word.p[i] < '0' || word.p[i] > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(word.p[i] - '0');
        if (size > (UINT64_MAX - digit) / 10) {
            size = UINT64_MAX;
            good = false;
            break;
        }
        size = size * 10 + digit;
    }
    if (!caps->has_size) {
        caps->has_size = true;
        caps->size = size;
    }
    return good;
}

static void read_line(struct caps *caps, struct span line, uint32_t number)
{
    if (caps->count == CAPS_MAX) {
        caps->dropped++;
        return;
    }
    struct span rest = line;
    struct span word = next_word(&rest);
    struct cap *cap = &caps->list[caps->count++];
    memset(cap, 0, sizeof(*cap));
    cap->id = CAP_OTHER;
    cap->line = number;
    line.len -= (size_t)(word.p - line.p);
    line.p = word.p;
    copy_span(cap->text, sizeof(cap->text), line);

    bool old_auth = false;
    const char *equals = word.len > 0 ? memchr(word.p, '=', word.len) : NULL;
    if (equals != NULL) {
        struct span before = {word.p, (size_t)(equals - word.p)};
        if (span_equal_nocase(before, "AUTH")) {
            old_auth = true;
            rest.p = equals + 1;
            rest.len = line.len - before.len - 1;
            word = before;
        }
    }
    cap->keyword_len = word.len < sizeof(cap->text) ? word.len : sizeof(cap->text) - 1;
    cap->masked = looks_masked(word);
    cap->bad_syntax = syntax_is_bad(word, rest);
    for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
        if (span_equal_nocase(word, keywords[i].word)) {
            cap->id = keywords[i].id;
        }
    }
    if (cap->id == CAP_AUTH) {
        bool first = caps_find(caps, CAP_AUTH) == cap;
        caps->auth_old_form = old_auth && (first || caps->auth_old_form);
        cap->bad_syntax = !read_mechs(caps, rest) || cap->bad_syntax;
    } else if (cap->id == CAP_SIZE) {
        cap->bad_syntax = !read_size(caps, rest) || cap->bad_syntax;
    }
}

void caps_parse(struct caps *caps, const struct reply *reply, bool esmtp)
{
    caps_clear(caps);
    caps->esmtp = esmtp;
    bool greeted = false;
    for (size_t i = 0; i < reply->line_count; i++) {
        /* A line without a code belongs to no reply; the parser has flagged it. */
        if (reply->lines[i].text_off == 0) {
            continue;
        }
        struct span line = reply_line_text(reply, i);
        if (!greeted) {
            read_greeting(caps, line);
            greeted = true;
        } else if (esmtp) {
            read_line(caps, line, reply->lines[i].number);
        }
    }
}

const struct cap *caps_find(const struct caps *caps, enum cap_id id)
{
    for (size_t i = 0; i < caps->count; i++) {
        if (caps->list[i].id == id) {
            return &caps->list[i];
        }
    }
    return NULL;
}

bool caps_has(const struct caps *caps, enum cap_id id)
{
    return caps_find(caps, id) != NULL;
}

bool caps_has_mech(const struct caps *caps, const char *mech)
{
    for (size_t i = 0; i < caps->mech_count; i++) {
        if (str_equal_nocase(caps->mechs[i], mech)) {
            return true;
        }
    }
    return false;
}

const char *cap_meaning(enum cap_id id)
{
    for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
        if (keywords[i].id == id) {
            return _(keywords[i].meaning);
        }
    }
    return "";
}

static bool parse_literal(const char *p, size_t len, struct net_address *out)
{
    char text[NET_ADDRESS_TEXT];
    if (len == 0 || len >= sizeof(text) || memchr(p, '\0', len) != NULL) {
        return false;
    }
    memcpy(text, p, len);
    text[len] = '\0';
    return net_address_parse(text, out);
}

static bool find_bracketed(const char *text, struct net_address *out)
{
    for (const char *open = strchr(text, '['); open != NULL; open = strchr(open + 1, '[')) {
        const char *close = strchr(open, ']');
        if (close == NULL) {
            return false;
        }
        if (parse_literal(open + 1, (size_t)(close - open - 1), out) ||
            parse_literal(open, (size_t)(close - open + 1), out)) {
            return true;
        }
    }
    return false;
}

static bool find_bare(const char *text, struct net_address *out)
{
    struct span rest = span_of(text);
    for (struct span word = next_word(&rest); word.len > 0; word = next_word(&rest)) {
        while (word.len > 0 && strchr("(<\"'", word.p[0]) != NULL) {
            word.p++;
            word.len--;
        }
        while (word.len > 0 && strchr(")>,;.!\"'", word.p[word.len - 1]) != NULL) {
            word.len--;
        }
        if (parse_literal(word.p, word.len, out)) {
            return true;
        }
    }
    return false;
}

bool caps_seen_address(const struct caps *caps, struct net_address *out)
{
    return find_bracketed(caps->greeting_text, out) || find_bare(caps->greeting_text, out);
}
