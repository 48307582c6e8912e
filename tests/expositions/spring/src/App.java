package dev.glidepath;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.web.context.WebServerApplicationContext;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/** Answers with the status it is asked for, and prints what Micrometer exposes after requests of known number. */
@SpringBootApplication
@RestController
public class App {
  // Keep in step with tests/unit/evidence/behaviour/test_presets.py.
  static final int[][] ROUNDS = {{20, 1, 2}, {120, 5, 12}};
  static final int[] CODES = {200, 404, 503};

  @GetMapping("/work/{code}")
  ResponseEntity<String> work(@PathVariable int code) {
    return ResponseEntity.status(code).body("");
  }

  public static void main(String[] arguments) throws Exception {
    var context = (WebServerApplicationContext) SpringApplication.run(App.class,
        "--server.port=0", "--spring.main.banner-mode=off", "--logging.level.root=OFF",
        "--management.endpoints.web.exposure.include=prometheus,health",
        "--management.metrics.distribution.percentiles-histogram.http.server.requests=true");
    String base = "http://localhost:" + context.getWebServer().getPort();
    HttpClient client = HttpClient.newHttpClient();
    int[] sent = {0, 0, 0};
    for (int round = 0; round < ROUNDS.length; round++) {
      for (int at = 0; at < CODES.length; at++) {
        for (; sent[at] < ROUNDS[round][at]; sent[at]++) {
          get(client, base + "/work/" + CODES[at]);
        }
      }
      for (int probe = 0; probe < 10; probe++) {
        get(client, base + "/actuator/health");
      }
      System.out.println("# scrape " + round);
      System.out.print(get(client, base + "/actuator/prometheus"));
    }
    System.exit(0);
  }

  static String get(HttpClient client, String address) throws Exception {
    return client.send(HttpRequest.newBuilder(URI.create(address)).build(), BodyHandlers.ofString()).body();
  }
}
