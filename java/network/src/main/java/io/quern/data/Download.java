package io.quern.data;

import io.quern.tensor.QuernException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.GZIPInputStream;

/** Fetches files whose contents are known beforehand: a limit of size, a pinned SHA-256, all or nothing. */
final class Download {
    private static final System.Logger LOG = System.getLogger("io.quern.data");

    /**
     * A file with a public home.
     *
     * @param sha256 in hexadecimal, of the contents
     * @param unpacked whether the contents that are pinned are those after gunzip: mirrors pack anew
     * @param maxBytes of the file as transferred
     * @param maxUnpacked of the contents
     */
    record RemoteFile(URI uri, String sha256, boolean unpacked, long maxBytes, long maxUnpacked) {
        String name() {
            return uri.getPath().substring(uri.getPath().lastIndexOf('/') + 1);
        }
    }

    private final Duration stall;

    /** @param stall how long a transfer may stand still */
    Download(Duration stall) {
        this.stall = stall;
    }

    /** The file in a directory, fetched if it is not there. */
    Path fetch(RemoteFile file, Path directory) {
        Path target = directory.resolve(file.name());
        if (Files.isRegularFile(target)) {
            return target;
        }
        LOG.log(System.Logger.Level.INFO, "fetching {0} to {1}", file.uri(), target);
        try (HttpClient client = HttpClient.newBuilder()
                .connectTimeout(stall)
                .followRedirects(HttpClient.Redirect.NORMAL)
                .build()) {
            Files.createDirectories(directory);
            HttpRequest request =
                    HttpRequest.newBuilder(file.uri()).timeout(stall).GET().build();
            HttpResponse<InputStream> response = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
            try (InputStream body = response.body()) {
                if (response.statusCode() != 200) {
                    throw failure(file, target, "the server answered " + response.statusCode(), null);
                }
                AtomicFiles.write(
                        target, out -> copy(file, target, body, out), written -> verify(file, target, written));
            } finally {
                client.shutdownNow();
            }
        } catch (IOException e) {
            throw failure(file, target, e.toString(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failure(file, target, "interrupted", e);
        }
        return target;
    }

    private void copy(RemoteFile file, Path target, InputStream body, OutputStream out) throws IOException {
        AtomicLong done = new AtomicLong();
        AtomicBoolean stalled = new AtomicBoolean();
        Thread watch = Thread.ofVirtual().start(() -> closeWhenStalled(body, done, stalled));
        try {
            byte[] buffer = new byte[1 << 16];
            for (int n = receive(file, target, body, buffer); n >= 0; n = receive(file, target, body, buffer)) {
                if (done.addAndGet(n) > file.maxBytes()) {
                    throw failure(file, target, "more than the expected " + file.maxBytes() + " bytes", null);
                }
                out.write(buffer, 0, n);
            }
        } catch (QuernException e) {
            if (!stalled.get()) {
                throw e;
            }
        } finally {
            watch.interrupt();
        }
        if (stalled.get()) {
            throw failure(file, target, "no byte came for " + stall.toMillis() + " ms", null);
        }
    }

    /** The body's failures are told apart from those of the disk. */
    private static int receive(RemoteFile file, Path target, InputStream body, byte[] buffer) {
        try {
            return body.read(buffer);
        } catch (IOException e) {
            throw failure(file, target, "the transfer broke off (" + e.getMessage() + ")", e);
        }
    }

    private void closeWhenStalled(InputStream body, AtomicLong done, AtomicBoolean stalled) {
        try {
            long before = -1;
            while (before != done.get()) {
                before = done.get();
                Thread.sleep(stall);
            }
            stalled.set(true);
            body.close();
        } catch (InterruptedException e) {
            // the transfer is over
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "closing a stalled transfer", e);
        }
    }

    private static void verify(RemoteFile file, Path target, Path written) {
        String found;
        try (InputStream raw = Files.newInputStream(written);
                InputStream contents = file.unpacked() ? new GZIPInputStream(raw, 1 << 16) : raw) {
            found = sha256(contents, file.maxUnpacked());
        } catch (IOException e) {
            throw failure(file, target, "what came cannot be unpacked (" + e.getMessage() + ")", e);
        }
        if (!found.equals(file.sha256())) {
            throw failure(file, target, "its SHA-256 is " + found + ", expected " + file.sha256(), null);
        }
    }

    private static String sha256(InputStream in, long maxBytes) throws IOException {
        try (DigestInputStream digest = new DigestInputStream(in, MessageDigest.getInstance("SHA-256"))) {
            byte[] buffer = new byte[1 << 16];
            long done = 0;
            for (int n = digest.read(buffer); n >= 0; n = digest.read(buffer)) {
                done += n;
                if (done > maxBytes) {
                    throw new IOException("more than the expected " + maxBytes + " bytes unpacked");
                }
            }
            return HexFormat.of().formatHex(digest.getMessageDigest().digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java runtime has no SHA-256", e);
        }
    }

    private static QuernException failure(RemoteFile file, Path target, String what, Exception cause) {
        return new QuernException(
                "cannot fetch " + file.uri() + ": " + what
                        + "; nothing was kept. Fetch it by other means and put it at " + target
                        + ", or name a directory that has the data with --data-dir",
                cause);
    }
}
