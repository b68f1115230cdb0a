#include "testcert.h"

#include <dirent.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEED(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            ERR_print_errors_fp(stderr);                                                           \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static EVP_PKEY *make_key(const char *kind)
{
    EVP_PKEY *key;
    if (kind == NULL) {
        kind = "P-256";
    }
    if (strncmp(kind, "RSA-", 4) == 0) {
        key = EVP_RSA_gen((unsigned)strtoul(kind + 4, NULL, 10));
    } else if (strncmp(kind, "P-", 2) == 0) {
        key = EVP_EC_gen(kind);
    } else {
        key = EVP_PKEY_Q_keygen(NULL, NULL, kind);
    }
    NEED(key != NULL);
    return key;
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    NEED(ext != NULL);
    NEED(X509_add_ext(cert, ext, -1) == 1);
    X509_EXTENSION_free(ext);
}

/* What no certificate authority would issue, and no configuration file can say. */
static void add_raw_name(X509 *cert, const char *p, size_t len)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    if (names == NULL) {
        names = GENERAL_NAMES_new();
    }
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    NEED(names != NULL && name != NULL && text != NULL);
    NEED(ASN1_STRING_set(text, p, (int)len) == 1);
    GENERAL_NAME_set0_value(name, GEN_DNS, text);
    NEED(sk_GENERAL_NAME_push(names, name) > 0);
    NEED(X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, X509V3_ADD_REPLACE) == 1);
    GENERAL_NAMES_free(names);
}

void testcert_make(struct testcert *out, const struct testcert_spec *spec,
                   const struct testcert *issuer)
{
    out->key = make_key(spec->key);
    out->cert = X509_new();
    NEED(out->cert != NULL);
    X509 *issuer_cert = issuer != NULL ? issuer->cert : out->cert;
    EVP_PKEY *issuer_key = issuer != NULL ? issuer->key : out->key;

    unsigned char serial[8];
    FILE *random = fopen("/dev/urandom", "rb");
    NEED(random != NULL && fread(serial, sizeof(serial), 1, random) == 1);
    fclose(random);
    serial[0] &= 0x7f;
    BIGNUM *number = BN_bin2bn(serial, sizeof(serial), NULL);
    NEED(number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(out->cert)) != NULL);
    BN_free(number);

    NEED(X509_set_version(out->cert, X509_VERSION_3) == 1);
    NEED(X509_set_pubkey(out->cert, out->key) == 1);
    X509_NAME *subject = X509_NAME_new();
    NEED(subject != NULL);
    if (spec->name != NULL) {
        NEED(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                        (const unsigned char *)spec->name, -1, -1, 0) == 1);
    }
    NEED(X509_set_subject_name(out->cert, subject) == 1);
    X509_NAME_free(subject);
    NEED(X509_set_issuer_name(out->cert, X509_get_subject_name(issuer_cert)) == 1);

    int64_t from = spec->not_before, to = spec->not_after;
    if (from == 0 && to == 0) {
        from = TESTCERT_NOW - 30 * TESTCERT_DAY;
        to = TESTCERT_NOW + 30 * TESTCERT_DAY;
    }
    NEED(ASN1_TIME_set(X509_getm_notBefore(out->cert), (time_t)from) != NULL);
    NEED(ASN1_TIME_set(X509_getm_notAfter(out->cert), (time_t)to) != NULL);

    add_extension(out->cert, issuer_cert, NID_subject_key_identifier, "hash");
    add_extension(out->cert, issuer_cert, NID_basic_constraints,
                  spec->ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (spec->ca) {
        add_extension(out->cert, issuer_cert, NID_key_usage, "critical,keyCertSign,cRLSign");
    }
    if (issuer != NULL) {
        add_extension(out->cert, issuer_cert, NID_authority_key_identifier, "keyid");
    }
    if (spec->usage != NULL) {
        add_extension(out->cert, issuer_cert, NID_ext_key_usage, spec->usage);
    }
    if (spec->san != NULL) {
        add_extension(out->cert, issuer_cert, NID_subject_alt_name, spec->san);
    }
    if (spec->raw_name != NULL) {
        add_raw_name(out->cert, spec->raw_name, spec->raw_name_len);
    }
    int issuer_type = EVP_PKEY_get_base_id(issuer_key);
    const EVP_MD *md = NULL;
    if (issuer_type != EVP_PKEY_ED25519 && issuer_type != EVP_PKEY_ED448) {
        md = EVP_get_digestbyname(spec->digest != NULL ? spec->digest : "SHA256");
        NEED(md != NULL);
    }
    NEED(X509_sign(out->cert, issuer_key, md) > 0);
}

void testcert_free(struct testcert *c)
{
    X509_free(c->cert);
    EVP_PKEY_free(c->key);
    c->cert = NULL;
    c->key = NULL;
}

void testcert_authority_make(struct testcert_authority *out, const char *name)
{
    char text[128];
    snprintf(text, sizeof(text), "%s Root", name);
    struct testcert_spec spec = {.name = text, .ca = true};
    testcert_make(&out->root, &spec, NULL);
    snprintf(text, sizeof(text), "%s Intermediate", name);
    testcert_make(&out->intermediate, &spec, &out->root);
}

void testcert_authority_free(struct testcert_authority *a)
{
    testcert_free(&a->root);
    testcert_free(&a->intermediate);
}

static char *take_text(BIO *bio)
{
    char *p;
    long len = BIO_get_mem_data(bio, &p);
    NEED(len >= 0);
    char *text = calloc(1, (size_t)len + 1);
    NEED(text != NULL);
    memcpy(text, p, (size_t)len);
    BIO_free(bio);
    return text;
}

char *testcert_pem(const struct testcert *const *certs, size_t count)
{
    BIO *bio = BIO_new(BIO_s_mem());
    NEED(bio != NULL);
    for (size_t i = 0; i < count; i++) {
        NEED(PEM_write_bio_X509(bio, certs[i]->cert) == 1);
    }
    return take_text(bio);
}

char *testcert_key_pem(const struct testcert *c)
{
    BIO *bio = BIO_new(BIO_s_mem());
    NEED(bio != NULL);
    NEED(PEM_write_bio_PrivateKey(bio, c->key, NULL, NULL, 0, NULL, NULL) == 1);
    return take_text(bio);
}

static char *join(const char *dir, const char *name)
{
    char *path = NULL;
    NEED(asprintf(&path, "%s/%s", dir, name) > 0);
    return path;
}

char *testcert_dir_new(void)
{
    const char *parent = getenv("TMPDIR");
    char *path = join(parent != NULL ? parent : "/tmp", "smtpscope-test-XXXXXX");
    NEED(mkdtemp(path) != NULL);
    return path;
}

void testcert_dir_remove(char *dir)
{
    DIR *d = opendir(dir);
    NEED(d != NULL);
    struct dirent *entry;
    while ((entry = readdir(d)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            char *path = join(dir, entry->d_name);
            (void)unlink(path);
            free(path);
        }
    }
    closedir(d);
    NEED(rmdir(dir) == 0);
    free(dir);
}

char *testcert_write(const char *dir, const char *name, const char *text)
{
    char *path = join(dir, name);
    FILE *f = fopen(path, "w");
    NEED(f != NULL);
    NEED(fchmod(fileno(f), 0600) == 0);
    NEED(fputs(text, f) >= 0);
    NEED(fclose(f) == 0);
    return path;
}
