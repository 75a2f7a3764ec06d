/* Feeds each file of the folders that are named to a fuzz target, as a test: TAP, one line a folder. */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>

static size_t read_file(const char *path, uint8_t **out) {
    FILE *file = fopen(path, "rb");
    MUST(file != NULL);
    MUST(fseek(file, 0, SEEK_END) == 0);
    long size = ftell(file);
    MUST(size >= 0);
    rewind(file);
    *out = malloc((size_t)size + (size == 0)); /* of its exact size, so that a sanitizer sees what is read beyond */
    MUST(*out != NULL && fread(*out, 1, (size_t)size, file) == (size_t)size);
    (void)fclose(file);
    return (size_t)size;
}

static void feed(const char *path) {
    uint8_t *data;
    size_t size = read_file(path, &data);
    (void)LLVMFuzzerTestOneInput(data, size);
    free(data);
}

static int feed_folder(const char *folder) {
    char path[4096];
    int n = 0;
    DIR *dir = opendir(folder);
    MUST(dir != NULL);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        feed(path);
        n++;
    }
    (void)closedir(dir);
    return n;
}

int main(int argc, char **argv) {
    int all = 0;
    printf("1..%d\n", argc - 1);
    (void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        int n = feed_folder(argv[i]);
        printf("%sok %d - %s: %d inputs\n", n > 0 ? "" : "not ", i, argv[i], n);
        all += n == 0;
    }
    return all == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
