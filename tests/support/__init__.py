"""What tests of several kinds share: processes, servers, the scripted model, clients. Test modules import it."""
