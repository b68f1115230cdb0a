#include "greeting.h"

#include <string.h>
#include <time.h>

#include "dns_name.h"
#include "net.h"

struct opening {
    const char *bytes;
    size_t len;
    const char *protocol;
};

#define OPENING(bytes, protocol)                                                                   \
    {                                                                                              \
        bytes, sizeof(bytes) - 1, protocol                                                         \
    }

static const struct opening openings[] = {
    OPENING("HTTP/", "HTTP"),
    OPENING("<!DOCTYPE", "HTTP"),
    OPENING("<html", "HTTP"),
    OPENING("<?xml", "XML"),
    OPENING("SSH-", "SSH"),
    OPENING("+OK", "POP3"),
    OPENING("-ERR", "POP3"),
    OPENING("* OK", "IMAP"),
    OPENING("* PREAUTH", "IMAP"),
    OPENING("* BYE", "IMAP"),
    OPENING("RFB 0", "VNC"),
    OPENING("@RSYNCD:", "rsync"),
    OPENING("\"IMPLEMENTATION\"", "ManageSieve"),
    OPENING("\x15\x03", "TLS"), /* an alert: it did not like our silence */
    OPENING("\x16\x03", "TLS"),
    OPENING("\xff\xfb", "telnet"),
    OPENING("\xff\xfd", "telnet"),
};

static bool begins_with(struct span s, const struct opening *o)
{
    return s.len >= o->len && memcmp(s.p, o->bytes, o->len) == 0;
}

static bool has_word(struct span s, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= s.len; i++) {
        struct span part = {s.p + i, len};
        if (span_equal_nocase(part, word)) {
            return true;
        }
    }
    return false;
}

const char *greeting_other_protocol(struct span first_bytes)
{
    for (size_t i = 0; i < ARRAY_LEN(openings); i++) {
        if (begins_with(first_bytes, &openings[i])) {
            return openings[i].protocol;
        }
    }
    /* Both greet with a three-digit code; only one has FTP in its words and not SMTP. */
    if (has_word(first_bytes, "SMTP") || has_word(first_bytes, "LMTP")) {
        return NULL;
    }
    struct span start = {first_bytes.p, first_bytes.len < 4 ? first_bytes.len : 4};
    bool code_220 = span_equal_nocase(start, "220 ") || span_equal_nocase(start, "220-");
    bool code_200 = span_equal_nocase(start, "200 ") || span_equal_nocase(start, "201 ");
    if (code_220 && (has_word(first_bytes, "FTP") || has_word(first_bytes, "FileZilla"))) {
        return "FTP";
    }
    if (code_200 && (has_word(first_bytes, "NNTP") || has_word(first_bytes, "news"))) {
        return "NNTP";
    }
    return NULL;
}

bool greeting_is_masked(struct span text)
{
    size_t stars = 0;
    size_t others = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] == '*') {
            stars++;
        } else if (strchr("20 ", text.p[i]) == NULL || text.p[i] == '\0') {
            others++;
        }
    }
    return stars >= 4 && stars > others;
}

/* Two or more digits at *p, which moves behind them; -1 when there are none or too many. */
static int take_number(const char **p, const char *end)
{
    int value = 0;
    size_t digits = 0;
    while (*p < end && **p >= '0' && **p <= '9' && digits < 5) {
        value = value * 10 + (**p - '0');
        (*p)++;
        digits++;
    }
    return digits > 0 && digits < 5 ? value : -1;
}

static bool take_char(const char **p, const char *end, char c)
{
    bool there = *p < end && **p == c;
    *p += there ? 1 : 0;
    return there;
}

static int take_month(const char **p, const char *end)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; i < 12 && end - *p >= 3; i++) {
        if (memcmp(*p, months + (size_t)3 * (size_t)i, 3) == 0) {
            *p += 3;
            return i;
        }
    }
    return -1;
}

/* "24 Nov 2026 12:00:00 +0100" (RFC 5322 3.3), without the day of the week. */
static bool parse_time(const char *p, const char *end, int64_t *seconds)
{
    struct tm tm = {.tm_isdst = 0};
    tm.tm_mday = take_number(&p, end);
    bool good = tm.tm_mday > 0 && take_char(&p, end, ' ');
    tm.tm_mon = good ? take_month(&p, end) : -1;
    good = tm.tm_mon >= 0 && take_char(&p, end, ' ');
    int year = good ? take_number(&p, end) : -1;
    good = year >= 1970 && take_char(&p, end, ' ');
    tm.tm_year = year - 1900;
    tm.tm_hour = good ? take_number(&p, end) : -1;
    good = tm.tm_hour >= 0 && tm.tm_hour < 24 && take_char(&p, end, ':');
    tm.tm_min = good ? take_number(&p, end) : -1;
    good = tm.tm_min >= 0 && tm.tm_min < 60 && take_char(&p, end, ':');
    tm.tm_sec = good ? take_number(&p, end) : -1;
    good = tm.tm_sec >= 0 && tm.tm_sec <= 60 && take_char(&p, end, ' ') && p < end &&
           (*p == '+' || *p == '-');
    if (!good) {
        return false;
    }
    int sign = *p++ == '-' ? -1 : 1;
    int zone = take_number(&p, end);
    if (zone < 0 || zone % 100 >= 60) {
        return false;
    }
    *seconds = (int64_t)timegm(&tm) - sign * (zone / 100 * 3600 + zone % 100 * 60);
    return true;
}

bool greeting_time(struct span text, int64_t *seconds)
{
    const char *end = text.p + text.len;
    for (const char *p = text.p; p < end; p++) {
        bool begins = *p >= '0' && *p <= '9' && (p == text.p || p[-1] == ' ');
        if (begins && parse_time(p, end, seconds)) {
            return true;
        }
    }
    return false;
}

bool greeting_has_name(struct span text)
{
    char word[DNS_HOST_NAME_MAX + 1];
    struct net_address literal;
    size_t len = 0;
    while (len < text.len && text.p[len] != ' ' && text.p[len] != '\t' && text.p[len] != '\r') {
        len++;
    }
    if (len == 0 || len >= sizeof(word) || memchr(text.p, '\0', len) != NULL) {
        return false;
    }
    memcpy(word, text.p, len);
    word[len] = '\0';
    struct span head = {word, len < 9 ? len : 9};
    if (span_equal_nocase(head, "localhost")) {
        return false;
    }
    /* An address literal is lawful in the place of a name (RFC 5321 4.2, "Greeting"). */
    if (word[0] == '[') {
        return net_address_parse(word, &literal);
    }
    return strchr(word, '.') != NULL && dns_name_is_host(word, true) &&
           strspn(word, "0123456789.") != len;
}
