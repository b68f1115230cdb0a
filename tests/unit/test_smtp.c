/* The conversation in clear: replies, pipelines, servers that break the rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "envelope_steps.h"

static const char envelope_lines[] = "S 220 mx.example ESMTP\n"
                                     "C EHLO probe.example\n"
                                     "S 250-mx.example hello\n"
                                     "S 250-SIZE 1000\n"
                                     "S 250 PIPELINING\n"
                                     "C MAIL FROM:<a@probe.example>\n"
                                     "C RCPT TO:<b@mx.example>\n"
                                     "C RSET\n"
                                     "C QUIT\n"
                                     "S 250 2.1.0 ok\n"
                                     "S 550-5.1.1 no\n"
                                     "S 550 5.1.1 such user\n"
                                     "S 250 reset\n"
                                     "S 221 bye\n";

static const struct act envelope_script[] = {ENVELOPE_SCRIPT};

static void test_envelope_in_pieces(void **state)
{
    (void)state;
    const size_t pieces[] = {0, 1, 2, 3, 7, 64};
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct talk *t = talk_new(envelope_script);
        size_t done;
        t->w.piece = pieces[i];
        assert_int_equal(envelope(t, &done), ST_OK);
        assert_int_equal(done, 4);
        assert_string_equal(buf_str(&t->ear.lines), envelope_lines);
        /* EHLO, and the four commands in one write. */
        assert_int_equal(t->w.writes, 2);
        assert_int_equal(t->s.state, SMTP_CLOSED);
        assert_int_equal(t->s.closed_by, ST_OK);
        assert_true(t->s.caps.esmtp);
        assert_int_equal(t->s.caps.size, 1000);
        assert_int_equal(t->s.caps.list[0].line, 4);
        talk_done(t);
    }
}

static size_t server_bytes(const struct act *script)
{
    size_t n = 0;
    for (; script->op != OP_STOP; script++) {
        n += script->op == OP_GIVE ? script->len : 0;
    }
    return n;
}

static void test_envelope_cut_everywhere(void **state)
{
    (void)state;
    size_t total = server_bytes(envelope_script);
    for (size_t cut = 1; cut < total; cut++) {
        struct talk *t = talk_new(envelope_script);
        size_t done;
        t->w.split_at = cut;
        assert_int_equal(envelope(t, &done), ST_OK);
        assert_string_equal(buf_str(&t->ear.lines), envelope_lines);
        talk_done(t);
    }
}

static void test_slow_writes(void **state)
{
    (void)state;
    for (size_t max = 1; max < 40; max++) {
        struct talk *t = talk_new(envelope_script);
        size_t done;
        t->w.write_max = max;
        assert_int_equal(envelope(t, &done), ST_OK);
        assert_string_equal(buf_str(&t->ear.lines), envelope_lines);
        talk_done(t);
    }
}

/* The end at every byte of the server's stream, in three ways. */
static void test_death_everywhere(void **state)
{
    (void)state;
    static const struct {
        enum op how;
        enum status st;
        const char *note;
    } kinds[] = {
        {OP_END, ST_EOF, "N The server closed the connection"},
        {OP_RESET, ST_RESET, "N The connection was reset"},
        {OP_STOP, ST_TIMEOUT, "N The time for "},
    };
    size_t total = server_bytes(envelope_script);
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        for (size_t at = 0; at < total; at++) {
            struct talk *t = talk_new(envelope_script);
            size_t done;
            t->w.die_at = at;
            t->w.die_how = kinds[k].how;
            int64_t begin = t->w.now_us;
            assert_int_equal(envelope(t, &done), kinds[k].st);
            assert_int_equal(t->s.state, SMTP_CLOSED);
            assert_int_equal(t->s.closed_by, kinds[k].st);
            assert_true(done < 4);
            assert_true(t->w.now_us - begin <= 301 * US_PER_S);
            assert_told(t, kinds[k].note);
            /* Nothing works on what is closed, and nothing hangs. */
            assert_int_equal(smtp_command(&t->s, WAIT_OTHER, &t->reply, "NOOP"), kinds[k].st);
            assert_int_equal(smtp_listen(&t->s), kinds[k].st);
            assert_int_equal(smtp_pending(&t->s), 0);
            smtp_quit(&t->s);
            talk_free(t);
        }
    }
}

static void test_one_by_one_without_pipelining(void **state)
{
    (void)state;
    static const struct act script[] = {GREETING,
                                        GIVE("250 mx.example"),
                                        EXPECT("MAIL FROM:<a@probe.example>"),
                                        GIVE("250 ok"),
                                        EXPECT("RCPT TO:<b@mx.example>"),
                                        GIVE("550 no"),
                                        EXPECT("RSET"),
                                        GIVE("250 ok"),
                                        EXPECT("QUIT"),
                                        GIVE("221 bye"),
                                        STOP};
    struct talk *t = talk_new(script);
    size_t done;
    assert_int_equal(envelope(t, &done), ST_OK);
    assert_int_equal(done, 4);
    assert_int_equal(t->w.writes, 5);
    talk_done(t);
}

static void test_groups(void **state)
{
    (void)state;
    /* NOOP and DATA end a group (RFC 2920 3.1). */
    static const struct act script[] = {GREETING,
                                        GIVE("250-mx.example\r\n250 PIPELINING"),
                                        EXPECT("RSET\r\nNOOP"),
                                        GIVE("250 one\r\n250 two"),
                                        EXPECT("MAIL FROM:<>\r\nRCPT TO:<b@mx.example>\r\nDATA"),
                                        GIVE("250 three\r\n250 four\r\n354 five"),
                                        STOP};
    static const struct smtp_step steps[] = {{WAIT_OTHER, "RSET"},
                                             {WAIT_OTHER, "NOOP"},
                                             {WAIT_MAIL, "MAIL FROM:<>"},
                                             {WAIT_RCPT, "RCPT TO:<b@mx.example>"},
                                             {WAIT_DATA, "DATA"}};
    static struct reply replies[5];
    struct talk *t = talk_new(script);
    size_t done;
    replies_init(replies, 5);
    open_with(t);
    assert_int_equal(smtp_pipeline(&t->s, steps, 5, replies, &done), ST_OK);
    assert_int_equal(done, 5);
    assert_int_equal(t->w.writes, 3);
    assert_int_equal(t->s.state, SMTP_TEXT);
    assert_true(replies[2].command_line > 0 && replies[2].command_line < replies[3].command_line);
    assert_true(replies[2].lines[0].number > replies[4].command_line);
    replies_free(replies, 5);
    talk_done(t);

    static const struct smtp_step bad[][2] = {
        {{WAIT_DATA, "DATA"}, {WAIT_OTHER, "RSET"}},
        {{WAIT_QUIT, "quit"}, {WAIT_OTHER, "RSET"}},
        {{WAIT_OTHER, "RSET"}, {WAIT_STARTTLS, "starttls"}},
        {{WAIT_OTHER, "RSET"}, {WAIT_AUTH, "AUTH PLAIN"}},
        {{WAIT_OTHER, "RSET"}, {WAIT_OTHER, "NOOP\r\nDATA"}},
    };
    static const struct act quiet[] = {GREETING, GIVE("250-mx.example\r\n250 PIPELINING"), STOP};
    t = talk_new(quiet);
    replies_init(replies, 2);
    open_with(t);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(smtp_pipeline(&t->s, bad[i], 2, replies, &done), ST_INVALID);
        assert_int_equal(done, 0);
    }
    assert_int_equal(t->w.writes, 1);
    replies_free(replies, 2);
    talk_done(t);
}

static void test_421_in_the_middle(void **state)
{
    (void)state;
    static const struct act scripts[][8] = {
        {GREETING, GIVE("250-mx.example\r\n250 PIPELINING"),
         EXPECT("MAIL FROM:<a@probe.example>\r\nRCPT TO:<b@mx.example>\r\nRSET\r\nQUIT"),
         GIVE("250 ok\r\n421 4.3.2 going down"), END, STOP},
        {GREETING, GIVE("250 mx.example"), EXPECT("MAIL FROM:<a@probe.example>"),
         GIVE("421 4.3.2 going down"), END, STOP},
    };
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        static const struct smtp_step steps[] = {{WAIT_MAIL, "MAIL FROM:<a@probe.example>"},
                                                 {WAIT_RCPT, "RCPT TO:<b@mx.example>"},
                                                 {WAIT_OTHER, "RSET"},
                                                 {WAIT_QUIT, "QUIT"}};
        static struct reply replies[4];
        struct talk *t = talk_new(scripts[i]);
        size_t done;
        replies_init(replies, 4);
        open_with(t);
        assert_int_equal(smtp_pipeline(&t->s, steps, 4, replies, &done), ST_EOF);
        assert_int_equal(done, i == 0 ? 2 : 1);
        assert_int_equal(replies[done - 1].code, 421);
        assert_false(replies[done].complete);
        assert_int_equal(t->s.state, SMTP_CLOSED);
        replies_free(replies, 4);
        talk_done(t);
    }
}

static void test_last_word_counts(void **state)
{
    (void)state;
    /* The refusal comes together with the end of the link. */
    static const struct act refused[] = {GREETING, GIVE("554 5.7.1 go away"), END, DEAF, STOP};
    struct talk *t = talk_new(refused);
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(smtp_ehlo(&t->s, "probe.example", &t->reply), ST_OK);
    assert_int_equal(t->reply.code, 554);
    assert_int_equal(smtp_command(&t->s, WAIT_MAIL, &t->reply, "MAIL FROM:<>"), ST_EOF);
    assert_int_equal(t->reply.code, 0);
    talk_done(t);

    /* The server refuses and stops reading while we still write. */
    static const struct act stuck[] = {GIVE("220 mx.example"),
                                       ROOM(5),
                                       EXPECT_RAW("EHLO "),
                                       WAIT(100),
                                       GIVE("421 4.7.0 too slow"),
                                       RESET,
                                       STOP};
    t = talk_new(stuck);
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(smtp_ehlo(&t->s, "probe.example", &t->reply), ST_OK);
    assert_int_equal(t->reply.code, 421);
    assert_int_equal(t->s.state, SMTP_CLOSED);
    assert_int_equal(t->s.closed_by, ST_RESET);
    talk_done(t);

    /* Without its line end it is no reply, but it is kept. */
    static const struct act cut[] = {GREETING, GIVE_RAW("554 5.7.1 go aw"), END, STOP};
    t = talk_new(cut);
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(smtp_ehlo(&t->s, "probe.example", &t->reply), ST_EOF);
    assert_int_equal(t->reply.code, 554);
    assert_false(t->reply.complete);
    assert_true((t->reply.flags & REPLY_CUT) != 0);
    assert_told(t, "S!> 554 5.7.1 go aw\n");
    assert_told(t, "N The server closed the connection before the reply to EHLO was complete.\n");
    talk_done(t);
}

static void test_helo_after_ehlo(void **state)
{
    (void)state;
    static const struct act script[] = {GREETING,
                                        GIVE("502 5.5.2 what"),
                                        EXPECT("HELO probe.example"),
                                        GIVE("250 mx.example hi"),
                                        EXPECT("QUIT"),
                                        GIVE("221 bye"),
                                        STOP};
    struct talk *t = talk_new(script);
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(t->s.state, SMTP_GREETED);
    assert_int_equal(smtp_ehlo(&t->s, "probe.example", &t->reply), ST_OK);
    assert_int_equal(t->reply.code, 502);
    assert_int_equal(t->s.state, SMTP_GREETED);
    assert_int_equal(smtp_helo(&t->s, "probe.example", &t->reply), ST_OK);
    assert_int_equal(t->s.state, SMTP_READY);
    assert_false(t->s.caps.esmtp);
    assert_string_equal(t->s.caps.greeting_name, "mx.example");
    smtp_quit(&t->s);
    assert_int_equal(t->s.closed_by, ST_OK);
    talk_done(t);
}

/* Threat A7: any code to greeting, EHLO and HELO leads to a defined state and no hang. */
static void test_odd_codes(void **state)
{
    (void)state;
    static const int codes[] = {220, 221, 250, 354, 421, 500, 501,
                                502, 504, 530, 550, 554, 999, 99};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        for (int where = 0; where < 3; where++) {
            char text[3][32];
            for (int k = 0; k < 3; k++) {
                int usual = k == 0 ? 220 : 250;
                snprintf(text[k], sizeof(text[k]), "%03d x\r\n", k == where ? codes[i] : usual);
            }
            const struct act script[] = {{OP_GIVE, text[0], strlen(text[0]), 0},
                                         EXPECT("EHLO probe.example"),
                                         {OP_GIVE, text[1], strlen(text[1]), 0},
                                         EXPECT("RSET"),
                                         {OP_GIVE, text[2], strlen(text[2]), 0},
                                         EXPECT("QUIT"),
                                         GIVE("221 bye"),
                                         STOP};
            struct talk *t = talk_new(script);
            assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
            assert_int_equal(t->s.state,
                             where == 0 && codes[i] != 220 ? SMTP_CONNECTED : SMTP_GREETED);
            assert_int_equal(smtp_ehlo(&t->s, "probe.example", &t->reply), ST_OK);
            bool ready = where != 1 || codes[i] / 100 == 2;
            assert_int_equal(t->s.state == SMTP_READY, ready);
            assert_int_equal(smtp_command(&t->s, WAIT_OTHER, &t->reply, "RSET"), ST_OK);
            assert_int_equal(t->reply.code, where == 2 ? codes[i] : 250);
            smtp_quit(&t->s);
            talk_done(t);
        }
    }
}

static void test_states(void **state)
{
    (void)state;
    static const struct act script[] = {GREETING,
                                        GIVE("250 mx.example"),
                                        EXPECT("MAIL FROM:<a@b>"),
                                        GIVE("250 ok"),
                                        EXPECT("RCPT TO:<x@y>"),
                                        GIVE("450 later"),
                                        EXPECT("RCPT TO:<z@y>"),
                                        GIVE("251 ok"),
                                        EXPECT("RSET"),
                                        GIVE("500 no"),
                                        EXPECT("rset"),
                                        GIVE("250 ok"),
                                        EXPECT("MAIL FROM:<a@b>"),
                                        GIVE("250 ok"),
                                        EXPECT("EHLO again"),
                                        GIVE("250-mx.example\r\n250 DSN"),
                                        EXPECT("DATA"),
                                        GIVE("503 no"),
                                        STOP};
    struct talk *t = talk_new(script);
    open_with(t);
    assert_int_equal(smtp_command(&t->s, WAIT_MAIL, &t->reply, "MAIL FROM:<%s>", "a@b"), ST_OK);
    assert_int_equal(t->s.state, SMTP_MAIL);
    assert_int_equal(smtp_command(&t->s, WAIT_RCPT, &t->reply, "RCPT TO:<x@y>"), ST_OK);
    assert_int_equal(t->s.state, SMTP_MAIL);
    assert_int_equal(smtp_command(&t->s, WAIT_RCPT, &t->reply, "RCPT TO:<z@y>"), ST_OK);
    assert_int_equal(t->s.state, SMTP_RCPT);
    assert_int_equal(smtp_command(&t->s, WAIT_OTHER, &t->reply, "RSET"), ST_OK);
    assert_int_equal(t->s.state, SMTP_RCPT);
    assert_int_equal(smtp_command(&t->s, WAIT_OTHER, &t->reply, "rset"), ST_OK);
    assert_int_equal(t->s.state, SMTP_READY);
    assert_int_equal(smtp_command(&t->s, WAIT_MAIL, &t->reply, "MAIL FROM:<a@b>"), ST_OK);
    assert_int_equal(smtp_ehlo(&t->s, "again", &t->reply), ST_OK);
    assert_int_equal(t->s.state, SMTP_READY);
    assert_true(caps_has(&t->s.caps, CAP_DSN));
    assert_int_equal(smtp_command(&t->s, WAIT_DATA, &t->reply, "DATA"), ST_OK);
    assert_int_equal(t->s.state, SMTP_READY);
    talk_done(t);
}

static void test_refused_commands(void **state)
{
    (void)state;
    static const struct act script[] = {GREETING, GIVE("250 mx.example"), STOP};
    struct talk *t = talk_new(script);
    char *big = calloc(1, SMTP_COMMAND_MAX + 2);
    assert_non_null(big);
    memset(big, 'a', SMTP_COMMAND_MAX + 1);
    open_with(t);
    static const char *const bad[] = {"a@b>\r\nRCPT TO:<c@d", "a\rb", "a\nb", "\n", "\r\n.\r\n"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(smtp_command(&t->s, WAIT_MAIL, &t->reply, "MAIL FROM:<%s>", bad[i]),
                         ST_INVALID);
        assert_int_equal(smtp_ehlo(&t->s, bad[i], &t->reply), ST_INVALID);
        assert_int_equal(smtp_helo(&t->s, bad[i], &t->reply), ST_INVALID);
        assert_int_equal(smtp_command_secret(&t->s, WAIT_AUTH, &t->reply, bad[i], "x", 1),
                         ST_INVALID);
        assert_int_equal(
            smtp_command_secret(&t->s, WAIT_AUTH, &t->reply, "AUTH PLAIN ", bad[i], strlen(bad[i])),
            ST_INVALID);
    }
    assert_int_equal(smtp_command(&t->s, WAIT_MAIL, &t->reply, "a%cb", 0), ST_INVALID);
    assert_int_equal(smtp_command(&t->s, WAIT_OTHER, &t->reply, "%s", big), ST_INVALID);
    assert_int_equal(smtp_command(&t->s, WAIT_OTHER, &t->reply, "STARTTLS"), ST_INVALID);
    assert_int_equal(t->w.writes, 1);
    assert_int_equal(t->s.state, SMTP_READY);
    free(big);
    talk_done(t);
}

static void test_code_change_and_odd_lines(void **state)
{
    (void)state;
    static const struct act script[] = {GIVE("hello first\r\n220 mx.example"),
                                        EXPECT("EHLO probe.example"),
                                        GIVE_RAW("250-mx.example\r\n550-what\n250 SIZE\r\n"),
                                        EXPECT("NOOP"),
                                        GIVE_RAW("250-a\rb\r\n\r\n250_c\x1b[2J\xff\r\n"),
                                        STOP};
    struct talk *t = talk_new(script);
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    assert_int_equal(t->reply.flags, REPLY_NO_CODE | REPLY_TEXT_BEFORE);
    assert_int_equal(smtp_ehlo(&t->s, "probe.example", &t->reply), ST_OK);
    assert_int_equal(t->reply.flags, REPLY_CODE_CHANGED | REPLY_BARE_LF);
    assert_int_equal(smtp_command(&t->s, WAIT_OTHER, &t->reply, "NOOP"), ST_OK);
    assert_string_equal(buf_str(&t->ear.lines), "S! hello first\n"
                                                "S 220 mx.example\n"
                                                "C EHLO probe.example\n"
                                                "S 250-mx.example\n"
                                                "S! 550-what\n"
                                                "S! 250 SIZE\n"
                                                "C NOOP\n"
                                                "S! 250-a\rb\n"
                                                "S! \n"
                                                "S! 250_c\x1b[2J\xff\n");
    talk_done(t);
}

static void test_unasked_replies(void **state)
{
    (void)state;
    /* Behind the greeting, between commands, in two halves, as one more reply to each command. */
    static const struct act script[] = {GIVE("220 mx.example\r\n250 too early"),
                                        EXPECT("EHLO probe.example"),
                                        GIVE("250 mx.example\r\n250 twice"),
                                        EXPECT("MAIL FROM:<>"),
                                        GIVE_RAW("550 no\r\n250-half of"),
                                        EXPECT("RCPT TO:<a@b>"),
                                        GIVE_RAW(" it\r\n250 rest\r\n551 real\r\n"),
                                        EXPECT("RSET"),
                                        GIVE("250 ok"),
                                        STOP};
    for (size_t piece = 0; piece < 40; piece++) {
        struct talk *t = talk_new(script);
        t->w.piece = piece;
        assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
        assert_int_equal(t->reply.code, 220);
        assert_int_equal(smtp_ehlo(&t->s, "probe.example", &t->reply), ST_OK);
        assert_string_equal(t->s.caps.greeting_name, "mx.example");
        assert_int_equal(t->s.unasked, 1);
        assert_int_equal(smtp_command(&t->s, WAIT_MAIL, &t->reply, "MAIL FROM:<>"), ST_OK);
        assert_int_equal(t->reply.code, 550);
        assert_int_equal(t->s.unasked, 2);
        assert_int_equal(smtp_command(&t->s, WAIT_RCPT, &t->reply, "RCPT TO:<a@b>"), ST_OK);
        assert_int_equal(t->reply.code, 551);
        assert_int_equal(t->s.unasked, 3);
        assert_int_equal(t->s.unasked_code, 250);
        assert_int_equal(smtp_command(&t->s, WAIT_OTHER, &t->reply, "RSET"), ST_OK);
        assert_int_equal(t->reply.code, 250);
        assert_string_equal(buf_str(&t->ear.lines), "S 220 mx.example\n"
                                                    "S! 250 too early\n"
                                                    "C EHLO probe.example\n"
                                                    "S 250 mx.example\n"
                                                    "S! 250 twice\n"
                                                    "C MAIL FROM:<>\n"
                                                    "S 550 no\n"
                                                    "C RCPT TO:<a@b>\n"
                                                    "S! 250-half of it\n"
                                                    "S! 250 rest\n"
                                                    "S 551 real\n"
                                                    "C RSET\n"
                                                    "S 250 ok\n");
        talk_done(t);
    }
}

static void test_listen(void **state)
{
    (void)state;
    static const struct act script[] = {GREETING,   GIVE("250 mx.example"),
                                        WAIT(1000), GIVE_RAW("250 hu"),
                                        WAIT(1000), GIVE("h"),
                                        WAIT(1000), GIVE_RAW("42"),
                                        WAIT(1),    GIVE("1 4.4.2 idle too long"),
                                        END,        STOP};
    struct talk *t = talk_new(script);
    open_with(t);
    assert_int_equal(smtp_listen(&t->s), ST_AGAIN);
    t->w.now_us += 1500 * US_PER_MS;
    assert_int_equal(smtp_pending(&t->s), 6);
    assert_int_equal(smtp_listen(&t->s), ST_AGAIN);
    assert_int_equal(smtp_pending(&t->s), 0);
    t->w.now_us += 1000 * US_PER_MS;
    assert_int_equal(smtp_listen(&t->s), ST_OK);
    assert_told(t, "S! 250 huh\n");
    assert_int_equal(t->s.unasked, 1);
    assert_int_equal(t->s.unasked_code, 250);
    t->w.now_us += 1000 * US_PER_MS;
    assert_int_equal(smtp_listen(&t->s), ST_EOF);
    assert_told(t, "S 421 4.4.2 idle too long\nN The server closed the connection.\n");
    assert_int_equal(t->s.unasked_code, 421);
    assert_int_equal(t->s.unasked_line, 5);
    assert_int_equal(t->s.state, SMTP_CLOSED);
    assert_int_equal(smtp_listen(&t->s), ST_EOF);
    talk_done(t);

    /* A server that leaves is noticed before the next command, and its word is not its reply. */
    static const struct act leaves[] = {
        GREETING, GIVE("250 mx.example"), GIVE("421 bye"), END, DEAF, STOP};
    t = talk_new(leaves);
    open_with(t);
    assert_int_equal(smtp_command(&t->s, WAIT_MAIL, &t->reply, "MAIL FROM:<>"), ST_EOF);
    assert_int_equal(t->reply.line_count, 0);
    assert_int_equal(t->s.unasked_code, 421);
    assert_not_told(t, "MAIL");
    talk_done(t);
}

static void test_broken_pipeline(void **state)
{
    (void)state;
    /* The link breaks while a group is being written; what was said until then is the result. */
    static const struct act scripts[][9] = {
        {GREETING, GIVE("250-x\r\n250 PIPELINING"), ROOM(7), EXPECT_RAW("MAIL FR"), WAIT(10),
         GIVE("421 4.3.2 closing"), RESET, STOP},
        {GREETING, GIVE("250-x\r\n250 PIPELINING"), ROOM(7), EXPECT_RAW("MAIL FR"), WAIT(10),
         GIVE("550 5.7.1 no"), RESET, STOP},
    };
    struct talk *t;
    size_t done;
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        t = talk_new(scripts[i]);
        assert_int_equal(envelope_any(t, &done, NULL), i == 0 ? ST_EOF : ST_RESET);
        assert_int_equal(done, 1);
        assert_int_equal(t->s.state, SMTP_CLOSED);
        assert_int_equal(t->s.closed_by, ST_RESET);
        talk_done(t);
    }

    /* Nothing of it goes out after a cancel, and a part of it is not cut short. */
    static const struct act quiet[] = {GREETING, GIVE("250-x\r\n250 PIPELINING"), STOP};
    t = talk_new(quiet);
    open_with(t);
    cancel_request(&t->w.cancel, CANCEL_POLITE);
    unsigned writes = t->w.writes;
    static const struct smtp_step steps[] = {{WAIT_OTHER, "RSET"}, {WAIT_QUIT, "QUIT"}};
    static struct reply replies[2];
    replies_init(replies, 2);
    assert_int_equal(smtp_pipeline(&t->s, steps, 2, replies, &done), ST_CANCELLED);
    assert_int_equal(t->w.writes, writes);
    talk_done(t);

    static const struct act part[] = {GREETING,
                                      GIVE("250-x\r\n250 PIPELINING"),
                                      ROOM(6),
                                      EXPECT_RAW("RSET\r\n"),
                                      WAIT(10),
                                      CANCEL(CANCEL_POLITE),
                                      EXPECT("QUIT\r\nNOOP"),
                                      GIVE("250 a\r\n221 b\r\n250 c"),
                                      STOP};
    t = talk_new(part);
    open_with(t);
    assert_int_equal(smtp_pipeline(&t->s, steps, 2, replies, &done), ST_CANCELLED);
    assert_int_equal(done, 0);
    cancel_ack(&t->w.cancel, CANCEL_POLITE);
    t->w.room = SIZE_MAX;
    assert_int_equal(smtp_command(&t->s, WAIT_OTHER, &t->reply, "NOOP"), ST_OK);
    assert_int_equal(reply_line_text(&t->reply, 0).p[0], 'c');
    talk_done(t);
    replies_free(replies, 2);

    static const struct act reset[] = {GREETING, GIVE("250 x"), RESET, STOP};
    t = talk_new(reset);
    open_with(t);
    assert_int_equal(smtp_listen(&t->s), ST_RESET);
    assert_told(t, "N The connection was reset.\n");
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_RESET);
    talk_done(t);
}

static void test_reconnect(void **state)
{
    (void)state;
    struct talk *t = talk_new(envelope_script);
    size_t done;
    assert_int_equal(smtp_greeting(&t->s, &t->reply), ST_OK);
    t->w.at = 0;
    smtp_attach(&t->s, world_dial(&t->w));
    assert_int_equal(t->s.state, SMTP_CONNECTED);
    t->w.open = true;
    assert_int_equal(envelope(t, &done), ST_OK);
    assert_int_equal(done, 4);
    talk_done(t);
}

static void test_secrets_in_both_directions(void **state)
{
    (void)state;
    static const struct act script[] = {
        GREETING,
        GIVE("250-mx.example CanaryPass77\r\n250 AUTH CanaryPass77"),
        EXPECT("NOOP CanaryPass77"),
        GIVE("535-5.7.8 CanaryPass77 is wrong\r\n535 Q2FuYXJ5UGFzczc3"),
        EXPECT("AUTH X abcdefgh"),
        GIVE("535 abcdefgh no"),
        EXPECT("QUIT"),
        GIVE("221 CanaryPass77"),
        STOP};
    struct talk *t = talk_new(script);
    struct redactor r = {.count = 0};
    struct secret secret = {.p = NULL};
    assert_int_equal(secret_set(&secret, "CanaryPass77", 12), ST_OK);
    assert_int_equal(redactor_add(&r, "user", &secret), ST_OK);
    t->s.redactor = &r;
    open_with(t);
    assert_string_equal(t->s.caps.greeting_text, "<hidden 12 bytes>");
    assert_int_equal(smtp_command(&t->s, WAIT_OTHER, &t->reply, "NOOP %s", "CanaryPass77"), ST_OK);
    assert_int_equal(t->reply.line_count, 2);
    struct span line = reply_line_text(&t->reply, 0);
    assert_memory_equal(line.p, "5.7.8 <hidden 12 bytes> is wrong", line.len);
    assert_false(bytes_hold(&t->reply.text, "Canary", 6));
    assert_false(bytes_hold(&t->reply.text, "Q2FuYXJ5", 8));
    assert_int_equal(smtp_command_secret(&t->s, WAIT_AUTH, &t->reply, "AUTH X ", "abcdefgh", 8),
                     ST_OK);
    smtp_quit(&t->s);
    assert_told(t, "C~ NOOP <hidden 12 bytes>\n");
    assert_told(t, "S~ 535-5.7.8 <hidden 12 bytes> is wrong\n");
    assert_told(t, "C~ AUTH X <hidden 8 bytes>\n");
    assert_told(t, "S~ 535 <hidden 8 bytes> no\n");
    assert_not_told(t, "CanaryPass77");
    assert_not_told(t, "abcdefgh");
    assert_not_told(t, "Q2FuYXJ5UGFzczc3");
    redactor_free(&r);
    secret_free(&secret);
    talk_done(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_envelope_in_pieces),
        cmocka_unit_test(test_envelope_cut_everywhere),
        cmocka_unit_test(test_slow_writes),
        cmocka_unit_test(test_death_everywhere),
        cmocka_unit_test(test_one_by_one_without_pipelining),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_421_in_the_middle),
        cmocka_unit_test(test_last_word_counts),
        cmocka_unit_test(test_helo_after_ehlo),
        cmocka_unit_test(test_odd_codes),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_refused_commands),
        cmocka_unit_test(test_code_change_and_odd_lines),
        cmocka_unit_test(test_unasked_replies),
        cmocka_unit_test(test_listen),
        cmocka_unit_test(test_broken_pipeline),
        cmocka_unit_test(test_reconnect),
        cmocka_unit_test(test_secrets_in_both_directions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
