/* The session by hand on the screen: completion, hints, macros, pasting (A35), raw mode, the base64
   lens, the composer, replaying. The golden screens are 80x24, in ASCII and UTF-8. */
#include "ptyscreen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pty_test.h"

static const char *const glyphs[] = {"ascii", "utf8"};

/* The practice network, its steps done; without a time column, because who types takes his time,
   and without the advice, which is tested elsewhere. */
static void begin(struct pty *p, const char *scenario, const char *glyph)
{
    char demo[64], option[32];
    snprintf(demo, sizeof(demo), "--demo=%s", scenario);
    snprintf(option, sizeof(option), "--glyphs=%s", glyph);
    pty_start(p, 80, 24, ARGS(demo, option, "--first-path"), NO_ENV);
    assert_true(pty_sees(p, "Done:"));
    pty_send(p, "2tttD");
}

/* Types a line and waits for what answers it. */
static void say(struct pty *p, const char *line, const char *answer)
{
    pty_send(p, line);
    pty_send(p, "\r");
    assert_true(pty_sees(p, answer));
}

static void assert_golden(struct pty *p, const char *name, const char *glyph)
{
    char file[100];
    snprintf(file, sizeof(file), "hand-%s-80x24-%s", name, glyph);
    pty_settle(p, 150);
    assert_true(pty_golden(p, file));
}

static void write_file(const struct pty *p, const char *name, const char *text)
{
    char path[200];
    pty_path(p, name, path, sizeof(path));
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fputs(text, f) >= 0, 1);
    assert_int_equal(fclose(f), 0);
}

/* One Tab puts in what all share, the second one lists; a key closes the list. */
static void completion(void **state)
{
    (void)state;
    for (size_t g = 0; g < 2; g++) {
        struct pty p;
        begin(&p, "healthy", glyphs[g]);
        pty_send(&p, "iMAIL FROM:<anna@example.org> \t");
        assert_true(pty_sees(&p, "7 lines fit; Tab again lists them."));
        pty_send(&p, "\t");
        assert_true(pty_sees(&p, "RFC 1870, section 3"));
        assert_golden(&p, "completion", glyphs[g]);
        pty_send(&p, "S");
        assert_true(pty_misses(&p, "RFC 1870"));
        pty_send(&p, "MTP\t");
        assert_true(pty_sees(&p, "SMTPUTF8"));
        /* What the server did not offer is not put in, and the hint says so. */
        pty_send(&p, " REQUIRETLS");
        assert_true(pty_sees(&p, "does not offer REQUIRETLS"));
        assert_golden(&p, "hint", glyphs[g]);
        pty_send(&p, "\025:st\t");
        assert_true(pty_sees(&p, "~> :starttls"));
        pty_end(&p);
    }
}

/* The nearest one is named, and nothing is sent; probing takes a second Enter and ends with RSET.
 */
static void macros(void **state)
{
    (void)state;
    struct pty p;
    begin(&p, "healthy", "ascii");
    say(&p, "i:prob x", "Did you mean :probe?");
    pty_send(&p, "\025");
    say(&p, ":probe", "It needs something behind it: :probe ADDRESS...");
    pty_send(&p, "\025");
    say(&p, ":help", ":half");
    pty_send(&p, "G");
    assert_true(pty_sees(&p, ":xclient ATTRIBUTES"));
    pty_send(&p, "\033");
    assert_true(pty_misses(&p, ":xclient ATTRIBUTES"));
    say(&p, ":probe anna@example.org nobody@example.org", "Enter again");
    pty_send(&p, "\r");
    assert_true(pty_sees(&p, "Accepted: 1 of 2."));
    assert_true(pty_sees(&p, "C~ RSET"));
    assert_true(pty_sees(&p, "550 5.1.1"));
    say(&p, ":probe a@b.example a@b.example a@b.example a@b.example a@b.example a@b.example",
        "Enter again");
    pty_send(&p, "\r");
    assert_true(pty_sees(&p, "At most 5 addresses."));
    pty_send(&p, "\025");
    say(&p, ":ehlo", "C~ EHLO desk.office.example");
    say(&p, ":b64 x", "No 334 is waiting");
    pty_send(&p, "\025");
    say(&p, ":xclient COLOR=red", "is no attribute of XCLIENT");
    pty_send(&p, "\025");
    say(&p, ":quit", "221 2.0.0 Bye");
    assert_true(pty_sees(&p, "(off)>"));
    say(&p, ":half", "There is no connection.");
    pty_send(&p, "\025");
    /* Early talk: the line goes out before the greeting has come. */
    say(&p, ":connect", "SMTP>");
    say(&p, ":raw EHLO early.example\\r\\n", "C: EHLO early.example");
    say(&p, ":starttls", "2 lines were sent.");
    assert_true(pty_sees(&p, "SMTP~>"));
    say(&p, ":bdat abc", "Enter again sends it");
    assert_false(pty_has(&p, "C~ BDAT"));
    pty_send(&p, "\r");
    assert_true(pty_sees(&p, "C~ BDAT 3 LAST"));
    say(&p, ":half", "Our direction of the connection was ended");
    assert_true(pty_sees(&p, "(off)>"));
    say(&p, ":open", "SMTP~>");
    pty_end(&p);
}

/* Every key of the readline family that is not only cursor movement, and the search. */
static void editing(void **state)
{
    (void)state;
    struct pty p;
    begin(&p, "healthy", "ascii");
    say(&p, "iNOOP one", "C~ NOOP one");
    say(&p, "NOOP two", "C~ NOOP two");
    pty_send(&p, "\022one");
    assert_true(pty_sees(&p, "(search \"one\") NOOP one"));
    pty_send(&p, "\007");
    assert_true(pty_misses(&p, "(search"));
    pty_send(&p, "NOOP ab\024");
    assert_true(pty_sees(&p, "> NOOP ba"));
    pty_send(&p, "\027\031\031");
    assert_true(pty_sees(&p, "> NOOP baba"));
    /* The draft stays when the line is left, and goes with Ctrl-C. */
    pty_send(&p, "\033");
    assert_true(pty_sees(&p, "[2 TRANSCRIPT]"));
    pty_send(&p, "i");
    assert_true(pty_sees(&p, "> NOOP baba"));
    pty_send(&p, "\003");
    assert_true(pty_misses(&p, "NOOP baba"));
    pty_end(&p);
}

/* A35 */
static void pasting(void **state)
{
    (void)state;
    struct pty p;
    begin(&p, "healthy", "ascii");
    assert_true(pty_wrote(&p, "\033[?2004h", 8));
    pty_send(&p, "\033[200~NOOP a\nNOOP b\nNOOP c\033[201~");
    assert_true(pty_sees(&p, "Pasted text was ignored"));
    /* One line goes into the field, and nowhere else. */
    pty_send(&p, "i\033[200~NOOP one\n\033[201~");
    assert_true(pty_sees(&p, "> NOOP one"));
    assert_false(pty_has(&p, "C~ NOOP one"));
    pty_send(&p, "\025");
    pty_send(&p, "\033[200~NOOP a\nNOOP b\nNOOP c\n\033[201~");
    assert_true(pty_sees(&p, "3 lines were pasted."));
    /* As it opens, Enter cancels. */
    pty_send(&p, "\r");
    assert_true(pty_misses(&p, "3 lines were pasted."));
    assert_false(pty_has(&p, "C~ NOOP"));
    pty_send(&p, "\033[200~ AUTH LOGIN\naaaaqqqq\nbbbbqqqq\n\033[201~");
    assert_true(pty_sees(&p, "3 lines were pasted."));
    assert_false(pty_has(&p, "qqqq"));
    pty_send(&p, "\r");
    assert_true(pty_misses(&p, "3 lines were pasted."));
    pty_send(&p, "\033[200~NOOP a\nNOOP b\nFROB\nNOOP c\033[201~");
    assert_true(pty_sees(&p, "4 lines were pasted."));
    pty_send(&p, "\t\r");
    /* A refusal ends it: what follows could be meant for something else. */
    assert_true(pty_sees(&p, "Line 3 of 4 was answered with 500. 1 line was not sent."));
    assert_true(pty_sees(&p, "C~ NOOP b"));
    assert_false(pty_has(&p, "NOOP c"));
    pty_send(&p, "\033[200~NOOP d\nNOOP e\033[201~\t\t\t\r");
    assert_true(pty_sees(&p, "C~ NOOP e"));
    pty_end(&p);
}

/* A35: the mark of the end inside of what is pasted ends nothing. */
static void pasting_cannot_break_out(void **state)
{
    (void)state;
    struct pty p;
    begin(&p, "healthy", "ascii");
    pty_send(&p, "i");
    assert_true(pty_sees(&p, "SMTP~>"));
    pty_send(&p, "\033[200~NOOP a\033[201~\rQUIT\r\033[201~");
    assert_true(pty_sees(&p, "2 lines were pasted."));
    pty_settle(&p, 200);
    pty_send(&p, "\033");
    assert_true(pty_misses(&p, "lines were pasted."));
    pty_send(&p, "\033[200~NOOP a\033[201~\rQUIT\r\033[200~x\033[201~");
    assert_true(pty_sees(&p, "3 lines were pasted."));
    pty_settle(&p, 200);
    assert_false(pty_has(&p, "C~ NOOP"));
    assert_false(pty_has(&p, "C~ QUIT"));
    pty_send(&p, "\033");
    assert_true(pty_misses(&p, "lines were pasted."));
    /* Keys behind a paste are keys. */
    pty_send(&p, "\033[200~NOOP here\033[201~\r");
    assert_true(pty_sees(&p, "C~ NOOP here"));
    pty_end(&p);
}

static void raw_mode(void **state)
{
    (void)state;
    for (size_t g = 0; g < 2; g++) {
        struct pty p;
        begin(&p, "healthy", glyphs[g]);
        pty_send(&p, "i:raw\r");
        assert_true(pty_sees(&p, "RAW~>"));
        say(&p, "NOOP 1\\r\\nNOOP 2\\r\\nNOOP\\n", "C~ NOOP\\n");
        assert_true(pty_sees(&p, "C~ NOOP 2"));
        pty_send(&p, "NOOP\\r\\nRSET\\x00\\r\\n");
        assert_true(pty_sees(&p, "There is a NUL."));
        assert_golden(&p, "raw", glyphs[g]);
        pty_send(&p, "\025");
        say(&p, "a\\q", "position 2");
        pty_send(&p, "\025");
        say(&p, ":raw", "SMTP~>");
        pty_end(&p);
    }
}

/* The target is the host for logins. */
static void begin_login(struct pty *p, const char *glyph)
{
    begin(p, "healthy", glyph);
    pty_send(p, "\033OQ");
    assert_true(pty_sees(p, "Domain or host"));
    pty_send(p, "\025mail.example.org:587\033[15~");
    assert_true(pty_sees(p, "certificate: mail.example.org"));
    pty_settle(p, 200);
    assert_true(pty_sees(p, "Done:"));
}

/* What is asked is read beside the base64; the name is seen while it is typed, the password never.
 */
static void lens(void **state)
{
    (void)state;
    for (size_t g = 0; g < 2; g++) {
        struct pty p;
        begin_login(&p, glyphs[g]);
        say(&p, "iAUTH LOGIN", "The server asks: \"Username:\"");
        pty_send(&p, ":b64 anna@example.org");
        assert_true(pty_sees(&p, "334> :b64 anna@example.org"));
        pty_send(&p, "\r");
        assert_true(pty_sees(&p, "The server asks: \"Password:\""));
        pty_send(&p, ":b64 practice");
        assert_true(pty_sees(&p, "334> :b64 ********"));
        pty_send(&p, "\025");
        say(&p, ":b64", "b64>");
        pty_send(&p, "practice");
        assert_true(pty_sees(&p, "b64> ********"));
        pty_send(&p, "\033b");
        assert_true(pty_sees(&p, "334 UGFzc3dvcmQ6  = Password:"));
        assert_golden(&p, "lens", glyphs[g]);
        pty_send(&p, "i\r");
        assert_true(pty_sees(&p, "235 2.7.0"));
        assert_false(pty_wrote(&p, "> practice", 10));
        /* PLAIN has NULs in it. */
        pty_send(&p, ":b64\r");
        say(&p, ":open", "S~ 250 CHUNKING");
        assert_true(pty_sees(&p, "SMTP~>"));
        pty_settle(&p, 200);
        say(&p, "AUTH PLAIN", "334");
        assert_true(pty_sees(&p, "334>"));
        say(&p, ":b64 \\0anna@example.org\\0practice", "235 2.7.0");
        pty_end(&p);
    }
}

static void composer(void **state)
{
    (void)state;
    for (size_t g = 0; g < 2; g++) {
        struct pty p;
        begin(&p, "healthy", glyphs[g]);
        pty_send(&p, "i");
        say(&p, "MAIL FROM:<clara@office.example>", "250 2.1.0");
        say(&p, "RCPT TO:<anna@example.org>", "250 2.1.5");
        say(&p, "DATA", "Auto-Submitted");
        pty_send(&p, ".hidden\r.\rGr\xc3\xbc\xc3\x9f");
        pty_send(&p, "e");
        assert_true(pty_sees(&p, "2 dots are doubled. 1 line is 8-bit."));
        assert_golden(&p, "composer", glyphs[g]);
        pty_send(&p, "\033[17~");
        assert_true(pty_sees(&p, "[.].hidden"));
        assert_golden(&p, "composer-wire", glyphs[g]);
        pty_send(&p, "\033[17~");
        /* Esc keeps the draft; as it opens, Enter on the question is No. */
        pty_send(&p, "\033");
        assert_true(pty_sees(&p, "kept as a draft"));
        say(&p, "DATA", ".hidden");
        pty_send(&p, "\004");
        assert_true(pty_sees(&p, "please confirm"));
        assert_true(pty_sees(&p, "To    <anna@example.org>, 1 recipient"));
        pty_send(&p, "\r");
        assert_true(pty_misses(&p, "please confirm"));
        assert_true(pty_has(&p, ".hidden"));
        pty_send(&p, "\004");
        assert_true(pty_sees(&p, "please confirm"));
        pty_send(&p, "\t\r");
        assert_true(pty_sees(&p, "The message was taken: 250."));
        assert_true(pty_sees(&p, "C~ ..hidden"));
        pty_end(&p);
    }
}

/* An envelope of its own, with what the server offers; chunks; samples; files. */
static void composer_with_envelope(void **state)
{
    (void)state;
    struct pty p;
    begin(&p, "healthy", "ascii");
    write_file(&p, "letter.txt", "Subject: from a file\r\n\r\nfirst\nsecond\r\n");
    write_file(&p, "part.bin", "attached");
    pty_send(&p, "i");
    say(&p, ":mail clara@office.example anna@example.org", "SIZE=");
    /* F2: the parameters of the offer, and no others. */
    pty_send(&p, "\033OQ");
    assert_true(pty_sees(&p, "NOTIFY"));
    assert_false(pty_has(&p, "REQUIRETLS"));
    pty_send(&p, "\t\t\t\t\t\tQQ314");
    pty_send(&p, "\tSOMETIMES\033[15~");
    assert_true(pty_sees(&p, "The value of NOTIFY has the form"));
    pty_send(&p, "\025NEVER\t\t\033OC\033[15~");
    assert_true(pty_sees(&p, "ENVID=QQ314"));
    assert_true(pty_sees(&p, "NOTIFY=NEVER"));
    assert_true(pty_sees(&p, "BDAT"));
    /* F3, F4: files. One with headers is the whole message. */
    pty_send(&p, "\033ORletter.txt\r");
    assert_true(pty_sees(&p, "Subject: from a file"));
    assert_true(pty_sees(&p, "1 line ends in LF alone."));
    pty_send(&p, "\033OSnothing.txt\r");
    assert_true(pty_sees(&p, "nothing.txt"));
    pty_send(&p, "\025part.bin\r");
    assert_true(pty_sees(&p, "part.bin"));
    assert_true(pty_sees(&p, "multipart/mixed"));
    assert_true(pty_sees(&p, "Content-Disposition"));
    pty_send(&p, "\033[15~");
    assert_true(pty_sees(&p, "send these bytes as they are"));
    pty_send(&p, "\t\r");
    assert_true(pty_sees(&p, "The message was taken: 250."));
    pty_send(&p, "\033/BDAT\r");
    assert_true(pty_sees(&p, "C~ BDAT"));
    assert_true(pty_sees(&p, "C~ RCPT TO:<anna@example.org> NOTIFY=NEVER"));
    pty_end(&p);
}

static void composer_samples_and_refusals(void **state)
{
    (void)state;
    struct pty p;
    begin(&p, "healthy", "ascii");
    pty_send(&p, "E");
    assert_true(pty_sees(&p, "<GTUBE>"));
    pty_send(&p, "\t\033OC\033OC\033OC\033OC\r");
    assert_true(pty_sees(&p, "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL"));
    pty_send(&p, "\033OC\r");
    assert_true(pty_sees(&p, "multipart/mixed"));
    /* The draft stays when it was refused. */
    pty_send(&p, "\033OQ\t\025nobody@example.org\033[15~");
    assert_true(pty_sees(&p, "RCPT TO:<nobody@example.org>"));
    pty_send(&p, "\033[15~");
    assert_true(pty_sees(&p, "please confirm"));
    pty_send(&p, "\t\r");
    assert_true(pty_sees(&p, "Refused with 550. The message is kept as a draft."));
    assert_false(pty_has(&p, "C~ DATA"));
    assert_true(pty_sees(&p, "C~ RSET"));
    pty_end(&p);
    pty_start(&p, 80, 24, ARGS("--demo=healthy", "--ascii", "--read-only"), NO_ENV);
    assert_true(pty_sees(&p, "Done:"));
    pty_send(&p, "E");
    assert_true(pty_sees(&p, "--read-only: this run never sends a message."));
    pty_send(&p, "i");
    say(&p, "MAIL FROM:<clara@office.example>", "250 2.1.0");
    say(&p, "RCPT TO:<anna@example.org>", "250 2.1.5");
    say(&p, "DATA", "Enter again sends it");
    pty_end(&p);
}

/* Bytes that mail may not have go out as they are, when that is agreed to. */
static void composer_exact_bytes(void **state)
{
    (void)state;
    struct pty p;
    begin(&p, "healthy", "ascii");
    pty_send(&p, "i");
    say(&p, ":mail clara@office.example anna@example.org", "SIZE=");
    pty_send(&p, "one\026\ntwo\r.three");
    assert_true(pty_sees(&p, "1 dot is doubled. 1 line ends in LF alone."));
    pty_send(&p, "\004");
    assert_true(pty_sees(&p, "[ ] send these bytes as they are"));
    pty_send(&p, "\033[Z ");
    assert_true(pty_sees(&p, "[x] send these bytes as they are"));
    pty_send(&p, "\t\t\r");
    assert_true(pty_sees(&p, "C~ one\\n"));
    assert_true(pty_sees(&p, "C~ ..three"));
    pty_end(&p);
}

static const char script[] = "# what a client says\n"
                             "EHLO client.example\nexpect 250\n"
                             "MAIL FROM:<clara@office.example>\n"
                             "RCPT TO:<nobody@example.org>\nexpect 250\n"
                             "raw NOOP\\r\\nNOOP\\n\n"
                             "RSET\nQUIT\n";

static void replay(void **state)
{
    (void)state;
    for (size_t g = 0; g < 2; g++) {
        struct pty p;
        begin(&p, "healthy", glyphs[g]);
        write_file(&p, "client.script", script);
        write_file(&p, "bad.script", "expect 250\n");
        pty_send(&p, "i");
        say(&p, ":replay nothing", "nothing");
        pty_send(&p, "\025");
        say(&p, ":replay bad.script", "bad.script");
        assert_true(pty_sees(&p, "Error:"));
        pty_send(&p, "\025:replay cl\t");
        assert_true(pty_sees(&p, "> :replay client.script"));
        pty_send(&p, "\r");
        assert_true(pty_sees(&p, "names senders and recipients"));
        pty_send(&p, "\r");
        assert_true(pty_misses(&p, "please confirm"));
        pty_send(&p, "P");
        assert_true(pty_misses(&p, "Script client.script"));
        pty_send(&p, "\025:replay client.script\r");
        assert_true(pty_sees(&p, "please confirm"));
        pty_send(&p, "\t\r");
        assert_true(pty_sees(&p, "step 1 of 6 (line 2) is due."));
        pty_send(&p, "\r");
        assert_true(pty_sees(&p, "step 2 of 6 (line 4) is due."));
        assert_true(pty_sees(&p, "S: 250 CHUNKING"));
        pty_send(&p, "a");
        assert_true(pty_sees(&p, "the reply was 550, and not 250."));
        assert_golden(&p, "replay", glyphs[g]);
        pty_send(&p, "a");
        assert_true(pty_sees(&p, "all 6 steps were played"));
        pty_send(&p, "\033");
        assert_true(pty_sees(&p, "shows the script again"));
        pty_end(&p);
    }
}

/* A hidden line asks, says for what, and shows nothing. */
static void replay_asks_for_what_was_hidden(void **state)
{
    (void)state;
    struct pty p;
    begin_login(&p, "ascii");
    say(&p, "iAUTH LOGIN", "Username:");
    say(&p, "YW5uYUBleGFtcGxlLm9yZw==", "Password:");
    say(&p, "cHJhY3RpY2U=", "235 2.7.0");
    pty_send(&p, "\033s");
    assert_true(pty_sees(&p, "File name"));
    pty_send(&p, "\025login.txt\r");
    assert_true(pty_sees(&p, "Saved"));
    pty_send(&p, "P");
    assert_true(pty_sees(&p, "Play a saved conversation"));
    pty_send(&p, "login.txt\r");
    assert_true(pty_sees(&p, "lines that were hidden"));
    pty_send(&p, "\t\r");
    assert_true(pty_sees(&p, "step 1 of"));
    pty_send(&p, "a");
    assert_true(pty_sees(&p, "The server asks: \"Username:\""));
    pty_send(&p, "\tanna@example.org");
    assert_true(pty_sees(&p, "b64> ****************"));
    pty_send(&p, "\r");
    assert_true(pty_sees(&p, "The server asks: \"Password:\""));
    pty_send(&p, "practice\r");
    assert_true(pty_sees(&p, "answered as expected."));
    assert_false(pty_wrote(&p, "b64> practice", 13));
    pty_end(&p);
}

/* The advanced part of the target form reaches the wire. */
static void advanced_target(void **state)
{
    (void)state;
    struct pty p;
    begin(&p, "healthy", "ascii");
    pty_send(&p, "\033OQ");
    assert_true(pty_sees(&p, "XCLIENT"));
    pty_send(&p, "\t\t\t\t\t\t\tv9");
    pty_send(&p, "\033[15~");
    assert_true(pty_sees(&p, "v9"));
    assert_true(pty_sees(&p, "Domain or host"));
    pty_send(&p, "\025v1\tADDR=nowhere\033[15~");
    assert_true(pty_sees(&p, "cannot stand behind ADDR"));
    pty_send(&p, "\025ADDR=192.0.2.99\033[15~");
    assert_true(pty_misses(&p, "Domain or host"));
    assert_true(pty_sees(&p, "2 warned."));
    pty_send(&p, "/proxy tcp\r");
    assert_true(pty_sees(&p, "C: PROXY TCP"));
    pty_send(&p, "\033OQ");
    assert_true(pty_sees(&p, "[v1"));
    assert_true(pty_sees(&p, "[ADDR=192.0.2.99"));
    pty_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completion),
        cmocka_unit_test(macros),
        cmocka_unit_test(editing),
        cmocka_unit_test(pasting),
        cmocka_unit_test(pasting_cannot_break_out),
        cmocka_unit_test(raw_mode),
        cmocka_unit_test(lens),
        cmocka_unit_test(composer),
        cmocka_unit_test(composer_with_envelope),
        cmocka_unit_test(composer_samples_and_refusals),
        cmocka_unit_test(composer_exact_bytes),
        cmocka_unit_test(replay),
        cmocka_unit_test(replay_asks_for_what_was_hidden),
        cmocka_unit_test(advanced_target),
    };
    return cmocka_run_group_tests_name("hand", tests, NULL, NULL);
}
