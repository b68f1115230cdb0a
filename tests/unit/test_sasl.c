/* SASL: the examples of the RFCs, and servers that lie, at every cut of their messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guarded.h"
#include "sasl.h"
#include "sasl_impl.h"

static void fixed_random(void *ctx, void *p, size_t len)
{
    memset(p, *(int *)ctx, len);
}

struct login {
    struct secret password;
    int seed;
    struct sasl_params params;
    struct sasl *s;
    struct buf response;
    bool secret;
    struct error error;
};

static void login_init(struct login *l, enum sasl_mech mech, const char *user, const char *password)
{
    memset(l, 0, sizeof(*l));
    if (password != NULL) {
        assert_int_equal(secret_set(&l->password, password, strlen(password)), ST_OK);
        l->params.password = &l->password;
    }
    l->params.mech = mech;
    l->params.user = user;
    l->params.random = fixed_random;
    l->params.random_ctx = &l->seed;
    buf_init(&l->response, SASL_CHALLENGE_MAX + 65536);
}

static void login_free(struct login *l)
{
    sasl_free(l->s);
    secret_free(&l->password);
    buf_wipe(&l->response);
}

static void login_start(struct login *l)
{
    assert_int_equal(sasl_start(&l->params, &l->s, &l->error), ST_OK);
}

static enum status step_bytes(struct login *l, const char *challenge, size_t len)
{
    struct guarded g = guarded_copy(challenge, len);
    enum status st = sasl_step(l->s, g.p, g.len, &l->response, &l->secret, &l->error);
    guarded_free(&g);
    return st;
}

static enum status step(struct login *l, const char *challenge)
{
    return step_bytes(l, challenge, strlen(challenge));
}

static void expect(struct login *l, const char *challenge, const char *response, bool secret)
{
    assert_int_equal(step(l, challenge), ST_OK);
    assert_int_equal(l->response.len, strlen(response));
    assert_string_equal(buf_str(&l->response), response);
    assert_int_equal(l->secret, secret);
}

static void test_names(void **state)
{
    (void)state;
    for (int i = MECH_NONE + 1; i < MECH_COUNT; i++) {
        assert_int_equal(sasl_mech_find(sasl_mech_name((enum sasl_mech)i)), i);
    }
    assert_int_equal(sasl_mech_find("scram-sha-256-plus"), MECH_SCRAM_SHA_256_PLUS);
    assert_int_equal(sasl_mech_find("NTLM"), MECH_NONE);
    assert_int_equal(sasl_mech_find(""), MECH_NONE);
    assert_string_equal(sasl_mech_name(MECH_NONE), "");
    assert_true(sasl_mech_sends_password(MECH_PLAIN));
    assert_true(sasl_mech_sends_password(MECH_XOAUTH2));
    assert_false(sasl_mech_sends_password(MECH_CRAM_MD5));
    assert_false(sasl_mech_sends_password(MECH_SCRAM_SHA_1));
}

static void test_choice(void **state)
{
    (void)state;
    static const char all[][32] = {"LOGIN",
                                   "PLAIN",
                                   "CRAM-MD5",
                                   "XOAUTH2",
                                   "EXTERNAL",
                                   "SCRAM-SHA-1",
                                   "SCRAM-SHA-256",
                                   "OAUTHBEARER",
                                   "NTLM",
                                   "SCRAM-SHA-1-PLUS",
                                   "SCRAM-SHA-256-PLUS"};
    assert_int_equal(sasl_mech_choose(all, 11, false, true), MECH_SCRAM_SHA_256_PLUS);
    assert_int_equal(sasl_mech_choose(all, 11, false, false), MECH_SCRAM_SHA_256);
    assert_int_equal(sasl_mech_choose(all, 11, true, true), MECH_OAUTHBEARER);
    assert_int_equal(sasl_mech_choose(all, 4, true, true), MECH_XOAUTH2);
    assert_int_equal(sasl_mech_choose(all, 2, false, true), MECH_PLAIN);
    assert_int_equal(sasl_mech_choose(all, 1, false, false), MECH_LOGIN);
    assert_int_equal(sasl_mech_choose(all, 2, true, false), MECH_NONE);
    assert_int_equal(sasl_mech_choose(&all[4], 1, false, false), MECH_NONE);
    assert_int_equal(sasl_mech_choose(all, 0, false, false), MECH_NONE);
}

static void test_plain(void **state)
{
    (void)state;
    struct login l;
    login_init(&l, MECH_PLAIN, "tim", "tanstaaftanstaaf");
    login_start(&l);
    assert_true(sasl_has_initial(l.s));
    assert_int_equal(sasl_step(l.s, NULL, 0, &l.response, &l.secret, &l.error), ST_OK);
    assert_int_equal(l.response.len, 21);
    assert_memory_equal(l.response.p, "\0tim\0tanstaaftanstaaf", 21);
    assert_true(l.secret);
    assert_string_equal(sasl_shown(l.s), "tim <hidden>");
    assert_int_equal(step(&l, "more"), ST_PROTO);
    assert_int_equal(l.response.len, 0);
    assert_int_equal(sasl_finish(l.s, &l.error), ST_OK);
    login_free(&l);

    /* RFC 4616 section 4, second example */
    login_init(&l, MECH_PLAIN, "Kurt", "xipj3plmq");
    l.params.authzid = "Ursel";
    login_start(&l);
    assert_int_equal(step(&l, ""), ST_OK);
    assert_int_equal(l.response.len, 20);
    assert_memory_equal(l.response.p, "Ursel\0Kurt\0xipj3plmq", 20);
    login_free(&l);
}

static void test_login(void **state)
{
    (void)state;
    struct login l;
    login_init(&l, MECH_LOGIN, "user@example.com", "canary-password");
    login_start(&l);
    assert_false(sasl_has_initial(l.s));
    expect(&l, "Username:", "user@example.com", false);
    assert_string_equal(sasl_shown(l.s), "user@example.com");
    expect(&l, "Password:", "canary-password", true);
    assert_string_equal(sasl_shown(l.s), "<hidden>");
    assert_int_equal(step(&l, "Password again:"), ST_PROTO);
    assert_true(l.error.text[0] != '\0');
    login_free(&l);
}

static void test_cram(void **state)
{
    (void)state;
    struct login l;
    login_init(&l, MECH_CRAM_MD5, "tim", "tanstaaftanstaaf");
    login_start(&l);
    assert_false(sasl_has_initial(l.s));
    /* RFC 2195 section 2 */
    expect(&l, "<1896.697170952@postoffice.reston.mci.net>", "tim b913a602c7eda7a495b4e6e7334d3890",
           true);
    assert_string_equal(sasl_shown(l.s), "tim <hidden>");
    assert_int_equal(step(&l, "<again@x>"), ST_PROTO);
    login_free(&l);

    login_init(&l, MECH_CRAM_MD5, "tim", "x");
    login_start(&l);
    assert_int_equal(step(&l, ""), ST_PROTO);
    login_free(&l);

    char *big = calloc(1, SASL_CHALLENGE_MAX + 1);
    assert_non_null(big);
    login_init(&l, MECH_CRAM_MD5, "tim", "x");
    login_start(&l);
    assert_int_equal(step_bytes(&l, big, SASL_CHALLENGE_MAX + 1), ST_PROTO);
    assert_int_equal(step_bytes(&l, big, SASL_CHALLENGE_MAX), ST_OK);
    login_free(&l);
    free(big);
}

static void test_external(void **state)
{
    (void)state;
    struct login l;
    login_init(&l, MECH_EXTERNAL, NULL, NULL);
    login_start(&l);
    assert_true(sasl_has_initial(l.s));
    expect(&l, "", "", false);
    assert_int_equal(step(&l, ""), ST_PROTO);
    login_free(&l);
    login_init(&l, MECH_EXTERNAL, "user", NULL);
    l.params.authzid = "role";
    login_start(&l);
    expect(&l, "", "role", false);
    login_free(&l);
}

static void test_oauth(void **state)
{
    (void)state;
    struct login l;
    /* RFC 7628 section 4.1, with the comma that the GS2 header of section 3.1 ends with */
    login_init(&l, MECH_OAUTHBEARER, "user@example.com",
               "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==");
    l.params.host = "server.example.com";
    l.params.port = 143;
    login_start(&l);
    expect(&l, "",
           "n,a=user@example.com,\001host=server.example.com\001port=143\001"
           "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\001\001",
           true);
    assert_null(strstr(sasl_shown(l.s), "vF9d"));
    assert_non_null(strstr(sasl_shown(l.s), "user@example.com"));
    /* Section 4.3 */
    static const char *const json = "{\"status\":\"invalid_token\",\"scope\":\"example_scope\"}";
    assert_string_equal(sasl_oauth_error(l.s), "");
    expect(&l, json, "\001", false);
    assert_string_equal(sasl_oauth_error(l.s), json);
    assert_int_equal(step(&l, json), ST_PROTO);
    login_free(&l);

    login_init(&l, MECH_OAUTHBEARER, "a,b=c", "t");
    login_start(&l);
    expect(&l, "", "n,a=a=2Cb=3Dc,\001auth=Bearer t\001\001", true);
    login_free(&l);

    login_init(&l, MECH_XOAUTH2, "someuser@example.com",
               "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg");
    login_start(&l);
    expect(&l, "",
           "user=someuser@example.com\001auth=Bearer "
           "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\001\001",
           true);
    expect(&l, "{\"status\":\"401\"}", "", false);
    assert_string_equal(sasl_oauth_error(l.s), "{\"status\":\"401\"}");
    login_free(&l);

    char json_big[6000];
    memset(json_big, 'j', sizeof(json_big));
    login_init(&l, MECH_XOAUTH2, "u", "token");
    login_start(&l);
    assert_int_equal(step(&l, ""), ST_OK);
    assert_int_equal(step_bytes(&l, json_big, sizeof(json_big)), ST_OK);
    assert_true(strlen(sasl_oauth_error(l.s)) < sizeof(json_big));
    login_free(&l);
}

struct scram_vector {
    enum sasl_mech mech;
    const char *nonce, *first, *challenge, *final, *proof;
};

/* RFC 5802 section 5 and RFC 7677 section 3: user "user", password "pencil" */
static const struct scram_vector vectors[] = {
    {MECH_SCRAM_SHA_1, "fyko+d2lbbFgONRv9qkxdawL", "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
     "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
     "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
     "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="},
    {MECH_SCRAM_SHA_256, "rOprNGfwEbeRWgbNEkqO", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
     "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
     "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
     "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
     "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
};

static void scram_begin(struct login *l, const struct scram_vector *v)
{
    login_init(l, v->mech, "user", "pencil");
    login_start(l);
    str_copy(l->s->scram.nonce, sizeof(l->s->scram.nonce), v->nonce);
    expect(l, "", v->first, false);
}

static void test_scram_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        const struct scram_vector *v = &vectors[i];
        struct login l;
        scram_begin(&l, v);
        expect(&l, v->challenge, v->final, true);
        assert_null(strstr(sasl_shown(l.s), strstr(v->final, "p=") + 2));
        assert_non_null(strstr(sasl_shown(l.s), "p=<hidden>"));
        assert_int_equal(sasl_finish(l.s, &l.error), ST_PROTO);
        expect(&l, v->proof, "", false);
        assert_int_equal(sasl_finish(l.s, &l.error), ST_OK);
        assert_int_equal(step(&l, v->proof), ST_PROTO);
        login_free(&l);
    }
}

/* A server's message that was cut, or has one byte changed, never passes as the whole. */
static void test_scram_cuts(void **state)
{
    (void)state;
    const struct scram_vector *v = &vectors[1];
    size_t iterations = (size_t)(strstr(v->challenge, ",i=") - v->challenge);
    for (size_t cut = 0; cut < strlen(v->challenge); cut++) {
        struct login l;
        scram_begin(&l, v);
        enum status st = step_bytes(&l, v->challenge, cut);
        /* Fewer digits of the count are a count as well. */
        assert_int_equal(st, cut > iterations + 3 ? ST_OK : ST_PROTO);
        assert_true(st == ST_OK || l.error.code == ST_PROTO);
        login_free(&l);
    }
    for (size_t cut = 0; cut <= strlen(v->proof); cut++) {
        struct login l;
        scram_begin(&l, v);
        assert_int_equal(step(&l, v->challenge), ST_OK);
        bool whole = cut == strlen(v->proof);
        assert_int_equal(step_bytes(&l, v->proof, cut), whole ? ST_OK : ST_PROTO);
        assert_int_equal(sasl_finish(l.s, &l.error), whole ? ST_OK : ST_PROTO);
        login_free(&l);
    }
    for (size_t at = 0; at < strlen(v->proof); at++) {
        char wrong[64];
        struct login l;
        str_copy(wrong, sizeof(wrong), v->proof);
        wrong[at] = wrong[at] == 'A' ? 'B' : 'A';
        scram_begin(&l, v);
        assert_int_equal(step(&l, v->challenge), ST_OK);
        assert_int_equal(step(&l, wrong), ST_PROTO);
        assert_int_equal(sasl_finish(l.s, &l.error), ST_PROTO);
        login_free(&l);
    }
}

static void test_scram_lies(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "r=",
        "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",     /* nothing added */
        "r=otherNGfwEbeRWgbNEkqOxyz,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", /* not ours */
        "r=rOprNGfwEbeRWgbNEkq,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "r=rOprNGfwEbeRWgbNEkqO\x01z,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "r=rOprNGfwEbeRWgbNEkqOz,s=,i=4096",
        "r=rOprNGfwEbeRWgbNEkqOz,s=****,i=4096",
        "r=rOprNGfwEbeRWgbNEkqOz,s=W22ZaJ0SNY7soEsUEjb6gQ,i=4096",
        "r=rOprNGfwEbeRWgbNEkqOz,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=0",
        "r=rOprNGfwEbeRWgbNEkqOz,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=-1",
        "r=rOprNGfwEbeRWgbNEkqOz,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=",
        "r=rOprNGfwEbeRWgbNEkqOz,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4 096",
        "r=rOprNGfwEbeRWgbNEkqOz,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=600001",
        "r=rOprNGfwEbeRWgbNEkqOz,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4294967297",
        "r=rOprNGfwEbeRWgbNEkqOz,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999999999999999999999",
        "s=W22ZaJ0SNY7soEsUEjb6gQ==,r=rOprNGfwEbeRWgbNEkqOz,i=4096",
        "m=ext,r=rOprNGfwEbeRWgbNEkqOz,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "e=unknown-user",
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct login l;
        scram_begin(&l, &vectors[1]);
        l.error.text[0] = '\0';
        assert_int_equal(step(&l, bad[i]), ST_PROTO);
        assert_true(l.error.text[0] != '\0');
        assert_int_equal(sasl_finish(l.s, &l.error), ST_PROTO);
        login_free(&l);
    }
    struct login l;
    scram_begin(&l, &vectors[1]);
    assert_int_equal(step(&l, "e=\x1b]0;x\x07"), ST_PROTO);
    assert_null(strchr(l.error.text, '\x1b'));
    login_free(&l);

    /* An extension behind the count is part of what is signed, and no reason to stop. */
    scram_begin(&l, &vectors[1]);
    assert_int_equal(step(&l, "r=rOprNGfwEbeRWgbNEkqOz,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1,x=y"), ST_OK);
    login_free(&l);

    /* The proof comes before its time. */
    login_init(&l, MECH_SCRAM_SHA_256, "user", "pencil");
    login_start(&l);
    assert_int_equal(step(&l, ""), ST_OK);
    assert_int_equal(step(&l, vectors[1].proof), ST_PROTO);
    login_free(&l);

    char *big = malloc(SASL_CHALLENGE_MAX);
    assert_non_null(big);
    memset(big, 'r', SASL_CHALLENGE_MAX);
    int n = snprintf(big, SASL_CHALLENGE_MAX, "r=%s", vectors[1].nonce);
    big[n] = 'r';
    scram_begin(&l, &vectors[1]);
    assert_int_equal(step_bytes(&l, big, SASL_CHALLENGE_MAX), ST_PROTO);
    login_free(&l);
    free(big);
}

static void test_scram_binding(void **state)
{
    (void)state;
    struct tls_facts *tls = calloc(1, sizeof(*tls));
    assert_non_null(tls);
    assert_false(sasl_can_bind(NULL));
    assert_false(sasl_can_bind(tls));
    tls->done = true;
    assert_false(sasl_can_bind(tls));
    memcpy(tls->end_point, "ENDPOINT", 8);
    tls->end_point_len = 8;
    assert_true(sasl_can_bind(tls));
    static const char challenge[] = "r=AAAAAAAAAAAAAAAAAAAAAAAAz,s=c2FsdA==,i=1";
    static const struct {
        enum sasl_mech mech;
        bool exporter, offered;
        const char *gs2, *c; /* base64 of the header and the binding data */
    } cases[] = {
        {MECH_SCRAM_SHA_256_PLUS, false, true, "p=tls-server-end-point,,",
         "cD10bHMtc2VydmVyLWVuZC1wb2ludCwsRU5EUE9JTlQ="},
        {MECH_SCRAM_SHA_256_PLUS, true, true, "p=tls-exporter,,",
         "cD10bHMtZXhwb3J0ZXIsLEVYUE9SVA=="},
        {MECH_SCRAM_SHA_1_PLUS, true, true, "p=tls-exporter,,", "cD10bHMtZXhwb3J0ZXIsLEVYUE9SVA=="},
        {MECH_SCRAM_SHA_256, true, false, "y,,", "eSws"},
        {MECH_SCRAM_SHA_256, true, true, "n,,", "biws"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct login l;
        char want[200];
        login_init(&l, cases[i].mech, "u", "p");
        tls->binding_type = cases[i].exporter ? "tls-exporter" : NULL;
        memcpy(tls->binding, "EXPORT", 6);
        tls->binding_len = cases[i].exporter ? 6 : 0;
        l.params.tls = tls;
        l.params.plus_offered = cases[i].offered;
        login_start(&l);
        snprintf(want, sizeof(want), "%sn=u,r=AAAAAAAAAAAAAAAAAAAAAAAA", cases[i].gs2);
        expect(&l, "", want, false);
        assert_int_equal(step(&l, challenge), ST_OK);
        snprintf(want, sizeof(want), "c=%s,r=", cases[i].c);
        assert_memory_equal(l.response.p, want, strlen(want));
        login_free(&l);
    }
    struct login l;
    login_init(&l, MECH_SCRAM_SHA_256_PLUS, "u", "p");
    assert_int_equal(sasl_start(&l.params, &l.s, &l.error), ST_INVALID);
    assert_null(l.s);
    login_free(&l);
    free(tls);
}

static void test_scram_names(void **state)
{
    (void)state;
    struct login l;
    login_init(&l, MECH_SCRAM_SHA_256, "a,b=c", "p");
    l.params.authzid = "x,y";
    login_start(&l);
    expect(&l, "", "n,a=x=2Cy,n=a=2Cb=3Dc,r=AAAAAAAAAAAAAAAAAAAAAAAA", false);
    login_free(&l);
    login_init(&l, MECH_SCRAM_SHA_256, "I\xc2\xadX\xc2\xa0y", "p");
    login_start(&l);
    expect(&l, "", "n,,n=IX y,r=AAAAAAAAAAAAAAAAAAAAAAAA", false);
    login_free(&l);
    /* Two logins differ in their nonce. */
    login_init(&l, MECH_SCRAM_SHA_256, "u", "p");
    l.seed = 0xff;
    login_start(&l);
    expect(&l, "", "n,,n=u,r=////////////////////////", false);
    login_free(&l);
}

static void test_prep(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out; /* NULL: forbidden */
    } cases[] = {
        {"user", "user"},
        {"USER", "USER"},
        {"I\xc2\xadX", "IX"}, /* RFC 4013 section 3, example 1 */
        {"a\xc2\xa0"
         "b\xe3\x80\x80"
         "c",
         "a b c"},
        {"p\xc3\xa4ss\xf0\x9f\x94\x91", "p\xc3\xa4ss\xf0\x9f\x94\x91"},
        {"\x07", NULL}, /* example 7 */
        {"a\x7f", NULL},
        {"a\xc2\x85", NULL},
        {"a\xe2\x80\xae", NULL},
        {"a\xef\xbf\xbd", NULL},
        {"a\xee\x80\x80", NULL},
        {"a\xff", NULL},
        {"a\xc3", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        struct guarded g = guarded_copy(cases[i].in, strlen(cases[i].in));
        buf_init(&out, 100);
        enum status st = sasl_prep(g.p, g.len, &out);
        assert_int_equal(st, cases[i].out != NULL ? ST_OK : ST_INVALID);
        if (cases[i].out != NULL) {
            assert_string_equal(buf_str(&out), cases[i].out);
        }
        buf_free(&out);
        guarded_free(&g);
    }
}

static void test_refused_input(void **state)
{
    (void)state;
    static const struct {
        enum sasl_mech mech;
        const char *user, *password;
    } cases[] = {
        {MECH_NONE, "u", "p"},
        {MECH_COUNT, "u", "p"},
        {MECH_PLAIN, NULL, "p"},
        {MECH_PLAIN, "", "p"},
        {MECH_PLAIN, "u", NULL},
        {MECH_PLAIN, "u", ""},
        {MECH_PLAIN, "u\r\n", "p"},
        {MECH_XOAUTH2, "u\001auth=x", "p"},
        {MECH_XOAUTH2, "u", "to\001ken"},
        {MECH_OAUTHBEARER, "u", "to ken"},
        {MECH_SCRAM_SHA_256, "u", "p\x07"},
        {MECH_SCRAM_SHA_256, "u\xff", "p"},
        {MECH_SCRAM_SHA_256, "u", "\xff"},
        {MECH_SCRAM_SHA_256, "\xc2\xad", "p"},
        {MECH_SCRAM_SHA_256, "u", "\xc2\xad"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct login l;
        login_init(&l, cases[i].mech, cases[i].user, cases[i].password);
        assert_int_equal(sasl_start(&l.params, &l.s, &l.error), ST_INVALID);
        assert_true(l.error.text[0] != '\0');
        assert_null(l.s);
        login_free(&l);
    }
    struct login l;
    char long_name[SASL_NAME_MAX + 2];
    memset(long_name, 'n', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    login_init(&l, MECH_PLAIN, long_name, "p");
    assert_int_equal(sasl_start(&l.params, &l.s, &l.error), ST_INVALID);
    login_free(&l);
    login_init(&l, MECH_PLAIN, "u", NULL);
    assert_int_equal(secret_set(&l.password, "a\0b", 3), ST_OK);
    l.params.password = &l.password;
    assert_int_equal(sasl_start(&l.params, &l.s, &l.error), ST_INVALID);
    login_free(&l);
    /* What SCRAM cannot carry, PLAIN can. */
    login_init(&l, MECH_PLAIN, "u\xfc", "p\xfc");
    login_start(&l);
    login_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),         cmocka_unit_test(test_choice),
        cmocka_unit_test(test_plain),         cmocka_unit_test(test_login),
        cmocka_unit_test(test_cram),          cmocka_unit_test(test_external),
        cmocka_unit_test(test_oauth),         cmocka_unit_test(test_scram_vectors),
        cmocka_unit_test(test_scram_cuts),    cmocka_unit_test(test_scram_lies),
        cmocka_unit_test(test_scram_binding), cmocka_unit_test(test_scram_names),
        cmocka_unit_test(test_prep),          cmocka_unit_test(test_refused_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
