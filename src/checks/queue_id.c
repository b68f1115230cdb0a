#include "queue_id.h"

#include <string.h>

/* What stands before the name, and how many words further it begins. */
struct pattern {
    const char *before; /* lower case */
    bool before_word;   /* the name is the word in front of this text, and not behind it */
};

static const struct pattern patterns[] = {
    {"queued as ", false},       /* Postfix */
    {"internalid=", false},      /* Exchange */
    {" id=", false},             /* Exim: "OK id=1tEXaB-..." */
    {" - gsmtp", true},          /* Google: the last word before it */
    {" message accepted", true}, /* Sendmail, OpenSMTPD */
    {" qp ", false},             /* qmail: "ok 1700000000 qp 1234" */
    {"queued with id ", false},
    {"queued id ", false},
    {"message-id ", false},
    {"queued mail for delivery", true},
    {"id: ", false},
    {"queued (", false},
    {"queue id ", false},
};

static bool is_name_byte(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("-_.+=@/", c) != NULL);
}

static bool find(struct span text, const char *needle, size_t *at)
{
    size_t len = strlen(needle);
    for (size_t i = 0; i + len <= text.len; i++) {
        struct span part = {text.p + i, len};
        if (span_equal_nocase(part, needle)) {
            *at = i;
            return true;
        }
    }
    return false;
}

/* A name has a digit in it; words of a sentence have none. */
static bool take(struct span text, size_t from, size_t to, char *out)
{
    bool digit = false;
    while (to > from && (text.p[to - 1] == '.' || text.p[to - 1] == '-')) {
        to--; /* the end of the sentence */
    }
    size_t len = to - from;
    if (len < 3 || len >= QUEUE_ID_MAX) {
        return false;
    }
    for (size_t i = from; i < to; i++) {
        digit = digit || (text.p[i] >= '0' && text.p[i] <= '9');
    }
    if (digit) {
        memcpy(out, text.p + from, len);
        out[len] = '\0';
    }
    return digit;
}

bool queue_id_find(struct span text, char out[QUEUE_ID_MAX])
{
    out[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
        size_t at;
        if (!find(text, patterns[i].before, &at)) {
            continue;
        }
        size_t from = at;
        size_t to = at;
        if (patterns[i].before_word) {
            while (from > 0 && is_name_byte(text.p[from - 1])) {
                from--;
            }
        } else {
            from = at + strlen(patterns[i].before);
            while (from < text.len &&
                   (text.p[from] == '<' || text.p[from] == '[' || text.p[from] == ' ')) {
                from++;
            }
            to = from;
            while (to < text.len && is_name_byte(text.p[to])) {
                to++;
            }
        }
        if (take(text, from, to, out)) {
            return true;
        }
    }
    return false;
}
