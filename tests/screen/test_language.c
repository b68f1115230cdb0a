/* A53: the console in the pseudo-language "qps", in which every sentence is accented, longer and in
 * brackets. */
#include "ptyscreen.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "keys.h"
#include "pty_test.h"

#define TEXT_MAX 1024
#define SKIPPED 77

/* As tests/screen/pseudo.py: letters that get an accent, and what the text is made longer with. */
static const char plain[] = "ABCDEFGHIJKLNOPRSTUWYZabcdefghijklnoprstuwyz";
static const char *const accented[] = {"Å", "B", "Ç", "Ď", "É", "F", "Ğ", "Ĥ", "Î", "Ĵ", "Ķ",
                                       "Ļ", "Ń", "Ö", "P", "Ŕ", "Š", "Ţ", "Û", "Ŵ", "Ŷ", "Ž",
                                       "å", "b", "ç", "đ", "é", "f", "ğ", "ĥ", "î", "ĵ", "ķ",
                                       "ļ", "ñ", "ö", "p", "ŕ", "š", "ţ", "û", "ŵ", "ŷ", "ž"};
static const char *const padding[] = {"öñé", "ţŵö",   "ţĥŕéé", "föûŕ", "fîvé",
                                      "šîx", "šévéñ", "éîğĥţ", "ñîñé", "ţéñ"};

static const struct {
    int w, h;
} sizes[] = {{80, 24}, {120, 40}};

static size_t utf8_characters(const char *text)
{
    size_t n = 0;
    for (; *text != '\0'; text++) {
        n += ((unsigned char)*text & 0xC0) != 0x80;
    }
    return n;
}

/* Cuts the text behind so many characters. */
static void utf8_cut(char *text, size_t characters)
{
    for (; *text != '\0'; text++) {
        if (((unsigned char)*text & 0xC0) != 0x80 && characters-- == 0) {
            *text = '\0';
            return;
        }
    }
}

static void add(char *out, const char *text)
{
    size_t len = strlen(out);
    assert_true(len + strlen(text) < TEXT_MAX);
    memcpy(out + len, text, strlen(text) + 1);
}

/* How a translated text begins: for texts that wrap, or that end in numbers of the run. */
static const char *begins(const char *text)
{
    static char out[TEXT_MAX];
    out[0] = '\0';
    add(out, "[");
    for (; *text != '\0'; text++) {
        const char *at = strchr(plain, *text);
        const char one[] = {*text, '\0'};
        add(out, at != NULL ? accented[at - plain] : one);
    }
    return out;
}

/* The whole translated text, with its brackets: on the screen only when nothing of it is clipped.
 */
static const char *whole(const char *text)
{
    static char out[TEXT_MAX];
    char more[TEXT_MAX] = "";
    size_t wanted = (strlen(text) * 2 + 4) / 5;
    wanted = wanted > 0 ? wanted : 1;
    for (size_t i = 0; utf8_characters(more) < wanted; i++) {
        add(more, " ");
        add(more, padding[i % (sizeof(padding) / sizeof(padding[0]))]);
    }
    utf8_cut(more, wanted);
    for (size_t n = strlen(more); n > 0 && more[n - 1] == ' '; n--) {
        more[n - 1] = '\0';
    }
    snprintf(out, sizeof(out), "%s", begins(text));
    add(out, more[0] != '\0' ? more : "~");
    add(out, "]");
    return out;
}

static void start(struct pty *p, int w, int h, const char *scenario)
{
    char demo[64];
    snprintf(demo, sizeof(demo), "--demo=%s", scenario);
    pty_start(p, w, h, ARGS("--lang=qps", demo), NO_ENV);
    assert_true(pty_sees(p, begins("Done:")));
    assert_true(pty_sees(p, whole("Quit"))); /* in the last row */
    pty_settle(p, 200);
}

/* Words of protocols and of the practice server, names of states and of file formats. */
static const char *const same_in_every_language[] = {
    "smtpscope", "DEMO",       "WARN",  "SKIP",
    "ASK",       "NOTE",       "SMTP",  "STARTTLS",
    "TLS",       "PTR",        "EHLO",  "ESMTP",
    "Postfix",   "PIPELINING", "SIZE",  "ENHANCEDSTATUSCODES",
    "BITMIME",   "DSN",        "MAIL",  "FROM",
    "RCPT",      "RSET",       "RFC",   "section",
    "Ctrl",      "Markdown",   "JSON",  "PLAIN",
    "LOGIN",     "CRAM",       "SCRAM", "XOAUTH",
    "OAUTH",     "EXT",        "QUIT",  "Bye",
    "XCLIENT",   "PROXY",      "LMTP",
    "AAAA"};

static bool is_same(const char *word, size_t len)
{
    for (size_t i = 0; i < sizeof(same_in_every_language) / sizeof(same_in_every_language[0]);
         i++) {
        if (strlen(same_in_every_language[i]) == len &&
            memcmp(same_in_every_language[i], word, len) == 0) {
            return true;
        }
    }
    return false;
}

/* A piece of a host name, an address, a date or a file name. */
static bool is_in_name(const char *screen, size_t at, size_t len)
{
    static const char joints[] = ".-@_/";
    char before = at > 0 ? screen[at - 1] : ' ';
    char behind = screen[at + len];
    return (before != '\0' && strchr(joints, before) != NULL) || isdigit((unsigned char)before) ||
           isdigit((unsigned char)behind) || behind == '@' ||
           (behind != '\0' && strchr(joints, behind) != NULL &&
            isalnum((unsigned char)screen[at + len + 1]));
}

struct area {
    int x, y, w, h;
};

static uint32_t character(struct pty *p, int x, int y)
{
    VTermScreenCell cell;
    vterm_screen_get_cell(p->screen, (VTermPos){.row = y, .col = x}, &cell);
    return cell.chars[0] != 0 && cell.chars[0] != (uint32_t)-1 ? cell.chars[0] : ' ';
}

/* Inside the edges of the box that lies over the panes; its corners stand nowhere else. */
static struct area box_area(struct pty *p)
{
    struct area a = {0, 0, 0, 0};
    /* A paint goes from the top to the bottom, and what was waited for may be its first half. */
    assert_true(pty_sees(p, "┘"));
    pty_settle(p, 150);
    for (int y = 0; y < p->h; y++) {
        for (int x = 0; x < p->w; x++) {
            uint32_t c = character(p, x, y);
            a.x = c == 0x250C ? x + 1 : a.x;
            a.y = c == 0x250C ? y + 1 : a.y;
            a.w = c == 0x2510 ? x - a.x : a.w;
            a.h = c == 0x2514 ? y - a.y : a.h;
        }
    }
    if (a.w <= 0 || a.h <= 0) {
        char *text = pty_text(p);
        print_error("%s\n", text);
        free(text);
        fail_msg("there is no box on the screen");
    }
    return a;
}

/* The cells in rows; what is beyond ASCII is one byte that is no letter. The caller frees. */
static char *plain_text(struct pty *p, struct area a)
{
    char *out = calloc((size_t)a.h, (size_t)a.w + 1);
    assert_non_null(out);
    size_t n = 0;
    for (int y = a.y; y < a.y + a.h; y++) {
        for (int x = a.x; x < a.x + a.w; x++) {
            uint32_t c = character(p, x, y);
            out[n++] = c < 0x80 ? (char)c : '\x80';
        }
        out[n++] = y + 1 < a.y + a.h ? '\n' : '\0';
    }
    return out;
}

/* Every text for people has been through a translator: no word of three plain letters is left. */
static void no_english(struct pty *p, struct area area)
{
    char *screen = plain_text(p, area);
    bool found = false;
    for (size_t at = 0; screen[at] != '\0';) {
        size_t len = 0;
        while (isalpha((unsigned char)screen[at + len])) {
            len++;
        }
        bool english = len >= 3 && strcspn(screen + at, plain) < len;
        if (english && !is_same(screen + at, len) && !is_in_name(screen, at, len)) {
            print_error("not translated: %.*s\n", (int)len, screen + at);
            found = true;
        }
        at += len > 0 ? len : 1;
    }
    free(screen);
    if (found) {
        char *text = pty_text(p);
        print_error("%s\n", text);
        free(text);
    }
    assert_false(found);
}

static void shows(struct pty *p, const char *text)
{
    if (!pty_sees(p, whole(text))) {
        fail_msg("not shown in full: %s", text);
    }
}

static void shows_start(struct pty *p, const char *text)
{
    if (!pty_sees(p, begins(text))) {
        fail_msg("not shown: %s", text);
    }
}

/* Every bracket that opens in this row is closed in it: nothing is cut off at its end. */
static void row_is_whole(struct pty *p, int y)
{
    char *row = pty_row(p, y);
    int open = 0;
    for (const char *c = row; *c != '\0'; c++) {
        open += *c == '[' ? 1 : *c == ']' ? -1 : 0;
    }
    if (open != 0) {
        fail_msg("row %d is clipped: %s", y, row);
    }
    free(row);
}

/* A sentence that does not fit says so at its end. */
static void row_tells_its_end(struct pty *p, int y)
{
    char *row = pty_row(p, y);
    size_t n = strlen(row);
    bool closed = n > 0 && row[n - 1] == ']';
    bool marked = n > 3 && strcmp(row + n - 3, "…") == 0;
    if (!closed && !marked) {
        fail_msg("row %d ends without a mark: %s", y, row);
    }
    free(row);
}

static void main_screen(int w, int h)
{
    struct pty p;
    start(&p, w, h, "no-starttls");
    for (int i = 0; i < CHECK_COUNT; i++) {
        shows(&p, checks[i].title);
    }
    shows(&p, "STEPS");
    shows(&p, "TRANSCRIPT");
    shows(&p, "FOLLOW");
    shows(&p, "Means");
    shows_start(&p, "The server offers no encryption (no STARTTLS) on port 25");
    shows_start(&p, "i or F6 to type; Tab completes; only Enter sends");
    if (w >= 120) {
        shows(&p, "TIMINGS");
        shows(&p, "banner");
        shows(&p, "TYPE SMTP");
        assert_true(pty_has(&p, "] OK"));
    }
    /* What the other side says and what the protocols call things stays as it is. */
    static const char *const same[] = {"S: 220 mx1.example.org ESMTP Postfix",
                                       "C: EHLO desk.office.example",
                                       "S: 250-PIPELINING",
                                       "WARN",
                                       "SKIP",
                                       "ASK",
                                       "SMTP>"};
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        assert_true(pty_has(&p, same[i]));
    }
    row_is_whole(&p, 0);
    row_is_whole(&p, 1);
    row_is_whole(&p, h - 1);
    row_tells_its_end(&p, h - 2);
    char *bar = pty_row(&p, h - 1);
    assert_memory_equal(bar, "F1", 2);
    assert_non_null(strstr(bar, "F8"));
    assert_non_null(strstr(bar, "F10"));
    free(bar);
    no_english(&p, (struct area){0, 0, w, h});
    pty_end(&p);
}

static void a53_main_screen(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        main_screen(sizes[i].w, sizes[i].h);
    }
}

static void a53_help_and_commands(void **state)
{
    (void)state;
    enum action actions[ACTION_COUNT];
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct pty p;
        start(&p, sizes[i].w, sizes[i].h, "no-starttls");
        pty_send(&p, "?");
        shows(&p, "Help: what the keys do here");
        shows(&p, "Type to filter:");
        size_t count =
            keys_help((enum key_mode)(MODE_PANE + PANE_STEPS), "", actions, ACTION_COUNT);
        assert_true(count > 20);
        for (size_t k = 0; k < count; k++) {
            shows(&p, action_title(actions[k])); /* under the cursor, so it is on the screen */
            pty_send(&p, "\033OB");
        }
        no_english(&p, box_area(&p));
        pty_send(&p, "\033");
        assert_true(pty_misses(&p, begins("Type to filter")));
        pty_send(&p, ":");
        shows(&p, "All commands");
        no_english(&p, box_area(&p));
        pty_end(&p);
    }
}

struct box {
    const char *keys; /* from the state in which the run is done and the cursor stands on STARTTLS,
                         the 8th step */
    const char *labels[12];
    const char *starts[6];
};

static const struct box boxes[] = {
    {"s",
     {"Save this run", "Format", "text", "File name", "If it exists", "add a number", "overwrite",
      "Save", "Cancel"},
     {"Readable by you only (0600). Passwords were"}},
    {"T",
     {"Target", "Domain or host", "Use host", "Port", "auto", "implicit", "EHLO name",
      "Source address", "any", "Start safe checks", "Cancel"},
     {NULL}},
    {"jjx",
     {"Relay test: please confirm", "I may test this server", "No", "Test"},
     {"Three address forms. No DATA: no message can be sent.", "The server's log will show it"}},
    {"jjjx",
     {"Log in", "User", "Password", "Method", "best", "show the password while it is typed",
      "send the password WITHOUT ENCRYPTION", "Cancel"},
     {"Kept in memory only, wiped after use, never saved."}},
    {"jjjjx",
     {"Send one test mail", "From", "To", "Subject", "No", "View exact bytes", "Send 1 mail"},
     {"One message to one recipient"}},
};

static void a53_boxes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (size_t b = 0; b < sizeof(boxes) / sizeof(boxes[0]); b++) {
            struct pty p;
            start(&p, sizes[i].w, sizes[i].h, "no-starttls");
            pty_send(&p, boxes[b].keys);
            for (size_t k = 0; boxes[b].labels[k] != NULL; k++) {
                shows(&p, boxes[b].labels[k]);
            }
            for (size_t k = 0; boxes[b].starts[k] != NULL; k++) {
                shows_start(&p, boxes[b].starts[k]);
            }
            no_english(&p, box_area(&p));
            pty_end(&p);
        }
    }
}

static void a53_relay_box_names_the_commands_as_they_are(void **state)
{
    (void)state;
    struct pty p;
    start(&p, 80, 24, "no-starttls");
    pty_send(&p, "jjx");
    assert_true(pty_sees(&p, "MAIL FROM:<...>  RCPT TO:<...@example.org>  RSET"));
    pty_end(&p);
}

static void a53_messages_and_errors(void **state)
{
    (void)state;
    struct pty p;
    start(&p, 120, 40, "no-starttls");
    pty_send(&p, "n");
    shows_start(&p, "Nothing was looked for yet.");
    /* Back from the first field to the button that starts. */
    pty_send(&p, "T\025-bad.example\033[Z\033[Z\r");
    /* What is wrong stands under the field, translated, with the input as it is. */
    assert_true(pty_sees(&p, "\"-bad\""));
    no_english(&p, box_area(&p));
    pty_send(&p, "\033");
    pty_send(&p, "iDATA");
    shows_start(&p, "Out of order: MAIL FROM comes first.");
    pty_end(&p);
}

/* The texts of a playbook come from a file of their own; what the screen puts around them does not. */
static void a53_guide(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct pty p;
        struct area pane = {0, 0, sizes[i].w, sizes[i].h};
        start(&p, sizes[i].w, sizes[i].h, "no-starttls");
        pty_send(&p, "B");
        shows(&p, "Guide me: what is wrong?");
        shows(&p, "I can't receive mail");
        pty_send(&p, "\r");
        shows(&p, "Which domain should receive the mail?");
        shows_start(&p, "Enter answers");
        no_english(&p, pane);
        pty_send(&p, "\r");
        shows_start(&p, "Name servers are asked which hosts");
        shows_start(&p, "This run has done it already");
        no_english(&p, pane);
        pty_send(&p, "\r");
        shows_start(&p, "DNS leads senders to");
        no_english(&p, pane);
        pty_send(&p, "\r\r\r\r\r");
        shows(&p, "Who has trouble?");
        shows(&p, "Nobody gets mail through, or I do not know");
        no_english(&p, pane);
        pty_send(&p, "\033");
        shows_start(&p, "B leads back to where the guide is.");
        pty_end(&p);
    }
}

static void a53_start_screen(void **state)
{
    (void)state;
    static const char *const labels[] = {"Domain or host", "Port",      "auto",
                                         "Check for",      "receiving", "submission",
                                         "Safe checks",    "Practise",  "Type SMTP",
                                         "Guide me"};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct pty p;
        pty_start(&p, sizes[i].w, sizes[i].h, ARGS("--lang=qps"), NO_ENV);
        for (size_t k = 0; k < sizeof(labels) / sizeof(labels[0]); k++) {
            shows(&p, labels[k]);
        }
        shows_start(&p, "Find out what is wrong with a mail server");
        no_english(&p, box_area(&p));
        pty_end(&p);
    }
}

/* Story and hints are the scenario's own; everything around them is translated and fits. */
static void a53_lessons(void **state)
{
    (void)state;
    static const char *const labels[] = {"Go on", "Hint", "I know the cause", "Show me",
                                         "All lessons"};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct pty p;
        pty_start(&p, sizes[i].w, sizes[i].h, ARGS("--lang=qps"), NO_ENV);
        shows(&p, "Practise");
        pty_send(&p, "\t\t\t\t\r");
        shows(&p, "Practise: choose a lesson");
        shows_start(&p, "The course:");
        pty_send(&p, "refused");
        shows(&p, "Connections");
        pty_send(&p, "\r");
        shows(&p, "Begin");
        pty_send(&p, "\r");
        assert_true(pty_sees(&p, begins("Done:")));
        shows(&p, "L story, hints and your answer");
        pty_send(&p, "L");
        for (size_t k = 0; k < sizeof(labels) / sizeof(labels[0]); k++) {
            shows(&p, labels[k]);
        }
        pty_send(&p, "\t\t\r");
        shows(&p, "Back");
        shows(&p, "Nobody listens on the port");
        no_english(&p, box_area(&p));
        pty_send(&p, "\033L\t\t\t\r");
        shows(&p, "Read the advice");
        shows(&p, "Next lesson");
        pty_end(&p);
    }
}

/* What the program prints without a screen; the caller frees. */
static char *printed(const char *arguments)
{
    char command[600];
    snprintf(command, sizeof(command), "'%s' %s </dev/null 2>&1", SMTPSCOPE_PROGRAM, arguments);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    size_t len = 0, cap = 1u << 20;
    char *text = malloc(cap);
    assert_non_null(text);
    for (size_t n = 1; n > 0 && len + 1 < cap; len += n) {
        n = fread(text + len, 1, cap - 1 - len, f);
    }
    text[len] = '\0';
    pclose(f);
    return text;
}

static void a53_json_is_english_in_every_language(void **state)
{
    (void)state;
    static const char *const scenarios[] = {"no-starttls",  "expired-cert", "servfail",
                                            "port-blocked", "auth-535",     "greylist-451"};
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        char arguments[128];
        snprintf(arguments, sizeof(arguments), "--check --json --demo=%s", scenarios[i]);
        char *english = printed(arguments);
        snprintf(arguments, sizeof(arguments), "--check --json --lang qps --demo=%s", scenarios[i]);
        char *pseudo = printed(arguments);
        assert_non_null(strstr(english, "\"smtpscope.report/1\""));
        assert_string_equal(english, pseudo);
        free(english);
        free(pseudo);
    }
    char *lines = printed("--check --lang qps --demo=no-starttls");
    assert_non_null(strstr(lines, begins("The server offers no encryption")));
    free(lines);
}

int main(void)
{
    const char *data = getenv("SMTPSCOPE_DATA");
    char catalogue[512];
    snprintf(catalogue, sizeof(catalogue), "%s/locale/qps/LC_MESSAGES/smtpscope.mo",
             data != NULL ? data : "");
    if (access(catalogue, R_OK) != 0) {
        printf("SKIP: the pseudo-language needs xgettext, msgfmt and python3 at build time\n");
        return SKIPPED;
    }
    setenv("LC_ALL", "C.UTF-8", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a53_main_screen),
        cmocka_unit_test(a53_help_and_commands),
        cmocka_unit_test(a53_boxes),
        cmocka_unit_test(a53_relay_box_names_the_commands_as_they_are),
        cmocka_unit_test(a53_messages_and_errors),
        cmocka_unit_test(a53_guide),
        cmocka_unit_test(a53_start_screen),
        cmocka_unit_test(a53_lessons),
        cmocka_unit_test(a53_json_is_english_in_every_language),
    };
    return cmocka_run_group_tests_name("language", tests, NULL, NULL);
}
