/* The conversation of the telnet tutorials, typed in the practice network and saved: MX, PTR,
   connect, EHLO, MAIL, RCPT, DATA with headers and a dot alone in the body, QUIT; then the same
   with AUTH LOGIN. The README shows what comes of it: its blocks have to be what is written now,
   but for the times. With UPDATE_README=1 they are replaced. */
#include "ptyscreen.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pty_test.h"

#define README SCREEN_SOURCE_DIR "/../../README.md"

static void say(struct pty *p, const char *line, const char *answer)
{
    pty_send(p, line);
    pty_send(p, "\r");
    assert_true(pty_sees(p, answer));
}

/* From MAIL on: what both conversations have. */
static void send_letter(struct pty *p, const char *from)
{
    char line[200];
    snprintf(line, sizeof(line), "MAIL FROM:<%s>", from);
    say(p, line, "250 2.1.0");
    say(p, "RCPT TO:<bernd@example.org>", "250 2.1.5");
    say(p, "DATA", "Auto-Submitted");
    pty_send(p, "A dot alone:\r.\rand one line more.\r");
    assert_true(pty_sees(p, "1 dot is doubled."));
    pty_send(p, "\004");
    assert_true(pty_sees(p, "please confirm"));
    pty_send(p, "\t\r");
    assert_true(pty_sees(p, "The message was taken: 250."));
    say(p, "QUIT", "221 2.0.0 Bye");
    assert_true(pty_sees(p, "(off)>"));
}

static void save(struct pty *p, const char *name)
{
    char said[100];
    pty_send(p, "\033");
    assert_true(pty_sees(p, "[2 TRANSCRIPT]"));
    pty_send(p, "s");
    assert_true(pty_sees(p, "File name"));
    pty_send(p, "\025");
    pty_send(p, name);
    pty_send(p, "\r");
    snprintf(said, sizeof(said), "Saved: %s", name);
    assert_true(pty_sees(p, said));
}

/* A run of hexadecimal digits that is the id of a message or of a queue; 0 for all else. */
static size_t id_len(const char *p)
{
    size_t n = 0;
    while (isxdigit((unsigned char)p[n]) || p[n] == '.') {
        n++;
    }
    return n >= 10 ? n : 0;
}

/* Numbers that are times become N: "0.104", "24 ms"; and so do ids. */
static char *without_times(const char *text)
{
    size_t len = strlen(text), at = 0;
    char *out = malloc(len + 1);
    assert_non_null(out);
    for (size_t i = 0; i < len;) {
        size_t n = 0, point = 0, id = id_len(text + i);
        if (id > 0) {
            out[at++] = 'N';
            i += id;
            continue;
        }
        while (isdigit((unsigned char)text[i + n]) || (text[i + n] == '.' && point == 0 && n > 0)) {
            point = text[i + n] == '.' ? n : point;
            n++;
        }
        bool time = (point > 0 && n - point == 4 && text[i + n] == ' ') ||
                    (n > 0 && strncmp(text + i + n, " ms", 3) == 0);
        if (time) {
            /* Figures may be more or fewer, and the column with them. */
            while (at > 0 && out[at - 1] == ' ') {
                at--;
            }
            out[at++] = ' ';
            out[at++] = 'N';
            i += n;
        } else {
            n = n > 0 ? n : 1;
            memcpy(out + at, text + i, n);
            at += n;
            i += n;
        }
    }
    out[at] = '\0';
    return out;
}

/* The fenced block behind "<!-- name -->"; begin and end are offsets of its first line and of the
 * fence. */
static void find_block(const char *readme, const char *name, size_t *begin, size_t *end)
{
    char mark[100];
    snprintf(mark, sizeof(mark), "<!-- %s -->\n```\n", name);
    const char *at = strstr(readme, mark);
    if (at == NULL) {
        fail_msg("README.md has no block %s", name);
    }
    *begin = (size_t)(at - readme) + strlen(mark);
    const char *fence = strstr(readme + *begin, "```\n");
    assert_non_null(fence);
    *end = (size_t)(fence - readme);
}

static void replace_block(const char *readme, size_t begin, size_t end, const char *text)
{
    FILE *f = fopen(README, "w");
    assert_non_null(f);
    fwrite(readme, 1, begin, f);
    fputs(text, f);
    fputs(readme + end, f);
    assert_int_equal(fclose(f), 0);
}

/* The README's block is this part of the saved file. */
static void assert_in_readme(const struct pty *p, const char *name, const char *from)
{
    char path[200];
    size_t begin = 0, end = 0;
    pty_path(p, name, path, sizeof(path));
    char *saved = file_read(path, NULL), *readme = file_read(README, NULL);
    assert_non_null(saved);
    assert_non_null(readme);
    char *part = from != NULL ? strstr(saved, from) : saved;
    assert_non_null(part);
    while (part > saved && part[-1] != '\n') {
        part--;
    }
    find_block(readme, name, &begin, &end);
    if (getenv("UPDATE_README") != NULL) {
        replace_block(readme, begin, end, part);
    } else {
        readme[end] = '\0';
        char *now = without_times(part), *shown = without_times(readme + begin);
        assert_string_equal(shown, now);
        free(now);
        free(shown);
    }
    free(saved);
    free(readme);
}

static void the_tutorials_conversation(void **state)
{
    (void)state;
    struct pty p;
    pty_start(
        &p, 80, 24,
        ARGS("--demo=healthy", "--ascii", "--only", "dns.mx,self.ptr,net.connect,smtp.banner"),
        NO_ENV);
    assert_true(pty_sees(&p, "Done:"));
    assert_true(pty_sees(&p, "S: 220 mx1.example.org ESMTP"));
    pty_send(&p, "i");
    say(&p, "EHLO desk.office.example", "S: 250 CHUNKING");
    send_letter(&p, "clara@office.example");
    save(&p, "by-hand.txt");
    assert_in_readme(&p, "by-hand.txt", NULL);
    /* The same with a login, at the host for people. */
    pty_send(&p, "\033OQ");
    assert_true(pty_sees(&p, "Domain or host"));
    pty_send(&p, "\025mail.example.org:587\033[15~");
    assert_true(pty_sees(&p, "S: 220 mail.example.org ESMTP"));
    assert_true(pty_sees(&p, "SMTP>"));
    pty_settle(&p, 200);
    pty_send(&p, "i");
    say(&p, "EHLO desk.office.example", "S: 250 CHUNKING");
    say(&p, ":starttls", "2 lines were sent.");
    say(&p, "AUTH LOGIN", "The server asks: \"Username:\"");
    say(&p, ":b64 anna@example.org", "The server asks: \"Password:\"");
    say(&p, ":b64 practice", "235 2.7.0");
    send_letter(&p, "anna@example.org");
    save(&p, "by-hand-login.txt");
    assert_in_readme(&p, "by-hand-login.txt", "C~ AUTH LOGIN");
    pty_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_tutorials_conversation)};
    return cmocka_run_group_tests_name("conversation", tests, NULL, NULL);
}
